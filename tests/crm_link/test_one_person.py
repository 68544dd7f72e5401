"""One person in several CRMs: known as one, and what one record forbids holds for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, NotFoundError
from crm_link.author_scores import SCORES
from crm_link.enrich import queue_speakers
from crm_link.joining import join_due
from crm_link.matching_models import RecordVerdict
from crm_link.models import Contact, IdentityLink, WriteBack
from crm_link.opt_outs import find_opt_out, opt_in, opt_out
from crm_link.privacy.rows import erase_contacts
from crm_link.privacy.subject import find_subject
from crm_link.refusals import consents_of, record_consent, revoke_consent
from crm_link.review import reject
from crm_link.service import link_mentions, relink_due
from crm_link.twins import decide_same, twins_of, undecide_same
from crm_link.types import ContactRecord, LinkState
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, speak, sync
from tests.make import NOW

HERE, THERE, THIRD = "hubspot", "hubspot:emea", "salesforce"
MAIL = ("jane@example.com",)


@pytest.fixture(autouse=True)
def _several_crms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_CRM", f"{HERE},{THERE},{THIRD}")
    monkeypatch.setenv("GROUNDSWELL_CRM_SCORES", "churn,lead,segment")
    monkeypatch.setenv("GROUNDSWELL_SECRET_KEY", "k" * 32)


def tick(sessions: sessionmaker[Session], hours: int = 0) -> None:
    """Let the worker look once, as it does before it writes to the CRMs."""
    now = NOW + timedelta(hours=hours)
    join_due(sessions, clock=lambda: now, context=CONTEXT)
    relink_due(sessions, clock=lambda: now, context=CONTEXT)


def make_two(
    sessions: sessionmaker[Session], *, here: str = "Jane Doe", there: str = "Jane Doe"
) -> tuple[int, int]:
    """Make a record in each of two CRMs with one address, and an account of the second one."""
    sync(sessions, make_record("h", name=here, emails=MAIL), name=HERE)
    accounts = (("mastodon", "jane"),)
    sync(sessions, make_record("t", name=there, emails=MAIL, handles=accounts), name=THERE)
    mention_id, _ = speak(sessions, {"handle": "jane"}, "cancel")
    queue_speakers(sessions, [mention_id], clock=lambda: NOW)
    tick(sessions)
    return id_of(sessions, "h"), id_of(sessions, "t")


def id_of(sessions: sessionmaker[Session], external_id: str) -> int:
    with sessions() as session:
        return session.scalars(select(Contact.id).where(Contact.external_id == external_id)).one()


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


def say(sessions: sessionmaker[Session], one: int, other: int, *, is_same: bool) -> None:
    with sessions.begin() as session:
        decide_same(session, one, other, is_same=is_same, by="ann@example.com", now=NOW)
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


def test_a_consent_that_is_taken_back_in_one_crm_counts_in_none_but_a_later_one_does(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)

    def agree(contact_id: int, scope: str, hours: int) -> int:
        with sessions.begin() as session:
            at = NOW + timedelta(hours=hours)
            return record_consent(
                session, contact_id, scope, note="f", by="a", context=CONTEXT, clock=lambda: at
            ).id

    def agreed() -> set[str]:
        with sessions() as session:
            return set(consents_of(session, [other]).get(other, ()))

    agree(other, "x", 0)
    agree(other, "bluesky", 0)
    consent_id = agree(one, "x", 1)
    assert agreed() == {"x", "bluesky"}
    with sessions.begin() as session:
        later = NOW + timedelta(hours=2)
        revoke_consent(session, one, consent_id, by="a", context=CONTEXT, clock=lambda: later)
    assert agreed() == {"bluesky"}

    agree(other, "x", 3)
    assert agreed() == {"x", "bluesky"}
    with sessions.begin() as session:
        everything = record_consent(session, one, "any", note="f", by="a", context=CONTEXT)
        session.flush()
        revoke_consent(session, one, everything.id, by="a", context=CONTEXT)
    assert agreed() == set()
    say(sessions, one, other, is_same=False)
    assert agreed() == {"x", "bluesky"}


def test_a_link_that_rests_on_such_a_consent_is_withdrawn(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record("h", emails=MAIL), name=HERE)
    bought = make_record("t", emails=MAIL, relationship_source="bought")
    sync(sessions, bought, name=THERE)
    one, other = id_of(sessions, "h"), id_of(sessions, "t")
    with sessions.begin() as session:
        record_consent(session, other, "x", note="f", by="a", context=CONTEXT, clock=lambda: NOW)
        first = record_consent(session, one, "x", note="f", by="a", context=CONTEXT)
        consent_id = first.id
    mention_id, _ = add_mention(sessions, {"platform": "x", "bio": MAIL[0]})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    tick(sessions)
    assert link_state(sessions, other) is LinkState.CONFIRMED

    with sessions.begin() as session:
        revoke_consent(session, one, consent_id, by="a", context=CONTEXT)
    relink_due(sessions, context=CONTEXT)

    assert link_state(sessions, other) is LinkState.WITHDRAWN


def link_state(sessions: sessionmaker[Session], contact_id: int) -> LinkState:
    with sessions() as session:
        links = select(IdentityLink.state).where(IdentityLink.contact_id == contact_id)
        return session.scalars(links).one()


def test_who_opts_out_in_one_crm_is_linked_in_none_also_when_that_record_is_gone(
    sessions: sessionmaker[Session],
) -> None:
    one, other = make_two(sessions)
    with sessions.begin() as session:
        opt_out(session, one, context=CONTEXT, clock=lambda: NOW)
    tick(sessions)
    assert link_state(sessions, other) is LinkState.WITHDRAWN
    with sessions() as session:
        found = find_opt_out(session, other, CONTEXT)
        assert found is not None
        assert (found.contact_id, found.crm, found.external_id) == (one, HERE, "h")
        with pytest.raises(ConflictError, match="opted out as hubspot h"):
            opt_in(session, other, context=CONTEXT)

    sync(sessions, ContactRecord("h", is_deleted=True), name=HERE)
    tick(sessions)

    with sessions.begin() as session:
        found = find_opt_out(session, other, CONTEXT)
        assert found is not None
        assert found.contact_id == other
        opt_in(session, other, context=CONTEXT, clock=lambda: NOW)


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
