"""One person in several CRMs: known as one, and what one record forbids holds for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import NotFoundError
from crm_link.contacts.joining import join_due
from crm_link.figures.author_scores import SCORES
from crm_link.linking.matching_models import RecordVerdict
from crm_link.linking.twins import twins_of, undecide_same
from crm_link.models import Contact, IdentityLink, WriteBack
from crm_link.privacy.rows import erase_contacts
from crm_link.privacy.subject import find_subject
from crm_link.review import reject
from crm_link.service import link_mentions
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.crm_link.two_records import HERE, MAIL, THERE, THIRD, id_of, make_two, say, tick
from tests.make import NOW


@pytest.fixture(autouse=True)
def _several_crms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", f"{HERE},{THERE},{THIRD}")
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn,lead,segment")
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "k" * 32)


def people(sessions: sessionmaker[Session]) -> dict[str, str | None]:
    """Return the record that each record's person is named by."""
    with sessions() as session:
        rows = session.scalars(select(Contact)).all()
        names = {one.id: one.external_id for one in rows}
        return {
            one.external_id: None if one.person_id is None else names[one.person_id] for one in rows
        }


def scores(sessions: sessionmaker[Session]) -> list[Any]:
    with sessions() as session:
        written = session.scalars(select(WriteBack).where(WriteBack.crm == THERE)).one()
        return [written.fields[name] for name in SCORES.values()]


def forbid(sessions: sessionmaker[Session], **changes: Any) -> None:
    record = make_record("h", emails=MAIL, do_not_contact=True)
    sync(sessions, replace(record, **changes), name=HERE)
    tick(sessions)


def test_do_not_contact_in_one_crm_holds_in_the_other_until_they_are_held_apart(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)
    assert people(sessions) == {"h": "h", "t": "h"}
    assert scores(sessions) == [0, 40, "detractor"]

    forbid(sessions)

    assert scores(sessions) == [None, None, None]
    with sessions() as session:
        contact = session.get_one(Contact, other)
        assert (contact.do_not_contact, contact.must_not_contact) == (False, True)
    say(sessions, one, other, is_same=False)
    assert people(sessions) == {"h": None, "t": None}
    assert scores(sessions) == [0, 40, "detractor"]
    with sessions.begin() as session:
        undecide_same(session, other, one, now=NOW)
    assert scores(sessions) == [None, None, None]
    with sessions() as session, pytest.raises(NotFoundError, match="nothing was decided"):
        undecide_same(session, one, other, now=NOW)


def test_do_not_contact_that_the_other_crm_takes_back_holds_no_more(
    sessions: sessionmaker[Session],
) -> None:
    make_two(sessions)
    forbid(sessions)

    forbid(sessions, do_not_contact=False)

    assert scores(sessions) == [0, 40, "detractor"]


@pytest.mark.parametrize("change", [{"is_deleted": True}, {"emails": ("other@example.com",)}])
def test_a_record_that_is_gone_or_shares_nothing_any_more_forbids_nothing(
    sessions: sessionmaker[Session], change: dict[str, Any]
) -> None:
    make_two(sessions)
    forbid(sessions)

    forbid(sessions, **change)

    assert people(sessions) == {"h": None, "t": None}
    assert scores(sessions) == [0, 40, "detractor"]


def test_a_family_member_is_only_shown_until_a_person_says_who_it_is(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions, here="John Doe")
    forbid(sessions, name="John Doe")
    assert scores(sessions) == [0, 40, "detractor"]
    with sessions() as session:
        (twin,) = twins_of(session, session.get_one(Contact, other))
        assert (twin.is_same, twin.has_other_name, twin.decided_by) == (False, True, None)

    say(sessions, one, other, is_same=True)

    assert scores(sessions) == [None, None, None]
    with sessions() as session:
        (twin,) = twins_of(session, session.get_one(Contact, other))
        assert (twin.is_same, twin.decided_by) == (True, "ann@example.com")


def test_a_person_is_known_across_three_crms_and_a_pair_that_is_held_apart_stays_so(
    sessions: sessionmaker[Session],
) -> None:
    phone = ("+12022242315",)
    _, other = make_two(sessions)
    sync(sessions, make_record("h", emails=MAIL, phones=phone), name=HERE)
    sync(sessions, make_record("s", phones=phone, do_not_contact=True), name=THIRD)
    tick(sessions)
    assert people(sessions) == {"h": "h", "t": "h", "s": "h"}
    assert scores(sessions) == [None, None, None]

    say(sessions, id_of(sessions, "s"), other, is_same=False)

    # A person's word goes before what ties both to the first record.
    assert people(sessions) == {"h": "h", "t": "h", "s": None}
    assert scores(sessions) == [0, 40, "detractor"]


def test_an_account_that_is_confirmed_to_be_both_makes_them_one_person(
    sessions: sessionmaker[Session],
) -> None:
    handles = (("mastodon", "jane"),)
    sync(sessions, make_record("h", emails=MAIL), name=HERE)
    sync(sessions, make_record("t", handles=handles), name=THERE)
    mention_id, _ = add_mention(sessions, {"handle": "jane", "bio": MAIL[0]})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    tick(sessions)
    assert people(sessions) == {"h": "h", "t": "h"}

    with sessions.begin() as session:
        link_id = session.scalars(
            select(IdentityLink.id).where(IdentityLink.contact_id == id_of(sessions, "h"))
        ).one()
        reject(session, link_id, by="ann", clock=lambda: NOW)
    tick(sessions)

    assert people(sessions) == {"h": None, "t": None}


def test_a_whole_person_is_erased_with_their_records_in_other_crms(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)
    with sessions() as session:
        whole = find_subject(session, contact=f"{HERE}:h", whole_person=True)
        alone = find_subject(session, contact=f"{HERE}:h")
    assert (whole.contact_ids, alone.contact_ids) == ((one, other), (one,))
    assert len(whole.author_ids) == 1

    say(sessions, one, other, is_same=True)
    erase_contacts(sessions, [one], now=NOW, context=CONTEXT)
    tick(sessions)

    assert people(sessions) == {"h": None, "t": None}
    with sessions() as session:
        assert session.scalars(select(RecordVerdict)).all() == []


def test_with_one_crm_nobody_is_looked_for(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", HERE)
    sync(sessions, make_record("h", emails=MAIL), name=HERE)

    assert join_due(sessions, clock=lambda: NOW, context=CONTEXT) == 0

    sync(sessions, make_record("t", emails=MAIL), name="csv_file")
    assert join_due(sessions, clock=lambda: NOW, context=CONTEXT) == 1
    assert people(sessions) == {"h": "h", "t": "h"}
