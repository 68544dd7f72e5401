from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, NotFoundError
from crm_link.linking.link_compare import side_by_side
from crm_link.linking.link_undo import preview_undo, undo
from crm_link.models import Contact, IdentityLink, WriteBack
from crm_link.review import confirm, decided_pairs, history, reject, split, suggestions
from crm_link.service import link_mentions, relink_due
from crm_link.types import LinkState
from listener.models import Author
from tests.crm_link.make_linking import CONTEXT, add_mention, make_record, sync
from tests.make import NOW

ANN, BEN = "ann@example.com", "ben@example.com"


def make_link(sessions: sessionmaker[Session], *, is_confirmed: bool) -> int:
    """Store a link that is confirmed, or (by a department's address) only suggested."""
    email = "jane@example.com" if is_confirmed else "info@example.com"
    sync(sessions, make_record(emails=(email,)))
    mention_id, _ = add_mention(sessions, {"bio": email})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    with sessions() as session:
        return session.scalars(select(IdentityLink.id)).one()


def relink(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for author in session.scalars(select(Author)):
            author.link_due_at = NOW
    assert relink_due(sessions, clock=lambda: NOW, context=CONTEXT) == 1


def state(sessions: sessionmaker[Session], link_id: int) -> tuple[LinkState, str | None]:
    with sessions() as session:
        link = session.get_one(IdentityLink, link_id)
        return link.state, link.decided_by


def test_a_person_confirms_a_suggestion(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=False)

    with sessions.begin() as session:
        confirm(session, link_id, by=ANN, clock=lambda: NOW, note="phoned her")

    assert state(sessions, link_id) == (LinkState.CONFIRMED, ANN)
    with sessions() as session:
        events = history(session, link_id)
        assert [(e.actor, e.from_state, e.to_state) for e in events] == [
            ("groundswell", None, LinkState.SUGGESTED),
            (ANN, LinkState.SUGGESTED, LinkState.CONFIRMED),
        ]
        assert events[-1].note == "phoned her"
        assert session.scalars(select(WriteBack)).one().fields["groundswell_mentions"] == 1


def test_what_a_person_decided_outlives_the_next_look(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=True)
    with sessions.begin() as session:
        undo(session, link_id, by=ANN, clock=lambda: NOW)

    relink(sessions)

    assert state(sessions, link_id) == (LinkState.WITHDRAWN, ANN)


def test_new_evidence_brings_a_withdrawn_link_back_as_a_suggestion(
    sessions: sessionmaker[Session],
) -> None:
    link_id = make_link(sessions, is_confirmed=True)
    with sessions.begin() as session:
        undo(session, link_id, by=ANN, clock=lambda: NOW)
    sync(sessions, make_record(emails=("jane@example.com",), phones=("202-224-2315",)))
    with sessions.begin() as session:
        for author in session.scalars(select(Author)):
            author.bio = "jane@example.com +1 202 224 2315"

    relink(sessions)

    assert state(sessions, link_id) == (LinkState.SUGGESTED, None)


def test_undo_goes_back_step_by_step_and_says_what_it_changes(
    sessions: sessionmaker[Session],
) -> None:
    link_id = make_link(sessions, is_confirmed=False)
    with sessions.begin() as session:
        confirm(session, link_id, by=ANN, clock=lambda: NOW)
    with sessions.begin() as session:
        reject(session, link_id, by=BEN, clock=lambda: NOW)

    with sessions() as session:
        looked = preview_undo(session, link_id)
    assert state(sessions, link_id) == (LinkState.REJECTED, BEN)
    with sessions.begin() as session:
        first = undo(session, link_id, by=ANN, clock=lambda: NOW)
    with sessions.begin() as session:
        second = undo(session, link_id, by=ANN, clock=lambda: NOW)
    with sessions.begin() as session:
        third = undo(session, link_id, by=ANN, clock=lambda: NOW)

    assert looked == first
    assert (first.to_state, first.is_record_written) == (LinkState.CONFIRMED, True)
    assert (second.to_state, second.is_record_cleared) == (LinkState.SUGGESTED, True)
    assert (third.to_state, third.is_record_cleared) == (LinkState.WITHDRAWN, False)
    with sessions() as session:
        with pytest.raises(ConflictError, match="nothing is left"):
            undo(session, link_id, by=ANN)
        assert len(history(session, link_id)) == 6


def test_rejecting_a_confirmed_link_clears_the_record(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=True)

    with sessions.begin() as session:
        reject(session, link_id, by=ANN, clock=lambda: NOW)

    with sessions() as session:
        row = session.scalars(select(WriteBack)).one()
        assert row.version == 2
        assert set(row.fields.values()) == {None}


@pytest.mark.parametrize("decide", [confirm, reject])
def test_a_rejected_link_is_not_decided_again(
    sessions: sessionmaker[Session], decide: Callable[..., IdentityLink]
) -> None:
    link_id = make_link(sessions, is_confirmed=False)
    with sessions.begin() as session:
        reject(session, link_id, by=ANN, clock=lambda: NOW)

    with sessions() as session, pytest.raises(ConflictError, match="is rejected"):
        decide(session, link_id, by=BEN)


def test_a_note_cannot_pretend_to_be_an_undo(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=False)
    with sessions.begin() as session:
        confirm(session, link_id, by=ANN, clock=lambda: NOW, note="undoes event 1")

    with sessions() as session:
        assert preview_undo(session, link_id).to_state is LinkState.SUGGESTED


def test_a_link_whose_contact_is_gone_is_not_confirmed(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=False)
    with sessions.begin() as session:
        session.scalars(select(Contact)).one().deleted_at = NOW

    with sessions() as session, pytest.raises(ConflictError, match="gone from the CRM"):
        confirm(session, link_id, by=ANN)


def test_policy_binds_people_too(sessions: sessionmaker[Session]) -> None:
    link_id = make_link(sessions, is_confirmed=False)
    with sessions.begin() as session:
        session.scalars(select(Author)).one().platform = "reddit"

    with sessions() as session, pytest.raises(ConflictError, match="reddit: deny"):
        confirm(session, link_id, by=ANN)


def test_an_unknown_link_is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError, match="no link 99"):
        confirm(session, 99, by=ANN)


def test_suggestions_come_newest_first_and_page_by_page(sessions: sessionmaker[Session]) -> None:
    sync(sessions, *(make_record(f"c{n}", emails=(f"info@e{n}.example",)) for n in range(5)))
    ids = [add_mention(sessions, {"bio": f"info@e{n}.example"})[0] for n in range(5)]
    link_mentions(sessions, ids, clock=lambda: NOW, context=CONTEXT)

    with sessions() as session:
        first = suggestions(session, limit=3)
        rest = suggestions(session, after=first[-1].id, limit=3)
        names = {link.contact.name for link in first} | {link.author.platform for link in rest}

    found = [link.id for link in (*first, *rest)]
    assert len(found) == 5
    assert found == sorted(found, reverse=True)
    assert names == {"Jane Doe", "mastodon"}


def test_a_split_takes_accounts_from_a_contact_and_each_can_be_taken_back(
    sessions: sessionmaker[Session],
) -> None:
    first = make_link(sessions, is_confirmed=True)
    other, _ = add_mention(sessions, {"bio": "jane@example.com", "external_id": "other"})
    link_mentions(sessions, [other], clock=lambda: NOW, context=CONTEXT)
    with sessions.begin() as session:
        contact_id = session.scalars(select(Contact.id)).one()
        second = max(session.scalars(select(IdentityLink.id)))
        with pytest.raises(NotFoundError, match="has no link 99"):
            split(session, contact_id, [second, 99], by=ANN)
        assert [one.id for one in split(session, contact_id, [second], by=ANN)] == [second]
        assert decided_pairs(session) == {session.get_one(IdentityLink, second).author_id: None}

    assert state(sessions, first)[0] is LinkState.CONFIRMED
    assert state(sessions, second) == (LinkState.REJECTED, ANN)
    with sessions.begin() as session:
        undo(session, second, by=ANN, clock=lambda: NOW)
    assert state(sessions, second)[0] is LinkState.CONFIRMED


def test_both_sides_are_shown_with_what_speaks_for_and_against(
    sessions: sessionmaker[Session],
) -> None:
    sync(sessions, make_record(emails=("info@example.com",)))
    mention_id, _ = add_mention(sessions, {"bio": "info@example.com", "name": "Bob Smith"})
    link_mentions(sessions, [mention_id], clock=lambda: NOW, context=CONTEXT)
    with sessions() as session:
        shown = side_by_side(suggestions(session)[0])

    assert [(one.title, one.verdict) for one in shown] == [
        ("E-mail", "the same"),
        ("Name", "different"),
    ]
    assert (shown[0].author, shown[0].contact) == ("in the bio", "info@example.com")
    assert shown[1].weight_bits < 0
    assert shown[1].contact == "Jane Doe"
