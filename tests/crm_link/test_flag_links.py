"""Links and escalations from the queue: who is who, and what is a crisis, by a person's word."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from crm_link import review
from crm_link.escalation.incidents import get_incident, list_events, list_notifications, resolve
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.flags.acts import Act, Change, Changed
from crm_link.flags.changes import change_flags
from crm_link.flags.events import event_says, events_of
from crm_link.flags.undo import undo_changes
from crm_link.mention_view import view_mention
from crm_link.models import Contact, IdentityLink, WriteBack
from crm_link.types import LinkState, Priority
from listener.models import Mention
from tests.api.build import judged, make_contact, make_flag, make_link
from tests.crm_link.making import MovableClock
from tests.make import make_author, make_brand, make_mention

ANA, BEN = "ana@example.org", "ben@example.org"

#: It would not surprise them: X asks for it.
LINK = Change(Act.LINK, contact_id=1, is_expected=True)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def ids(sessions: sessionmaker[Session], clock: MovableClock) -> list[int]:
    """Flag two mentions of one author, one of another, one of nobody; one contact, number 1."""
    with sessions.begin() as session:
        brand = make_brand(session)
        one, other = make_author(session), make_author(session)
        assert make_contact(session, clock()).id == LINK.contact_id
        made = [
            make_mention(
                session,
                brand,
                author_id=author_id,
                published_at=clock(),
                **judged("negative", Priority.RISK, topic="glass"),
            )
            for author_id in (one.id, one.id, other.id, None)
        ]
        for mention in made:
            make_flag(session, mention, Priority.RISK)
        return [mention.id for mention in made]


def _do(
    sessions: sessionmaker[Session],
    ids: list[int],
    change: Change,
    clock: MovableClock,
    *,
    seen: dict[int, int] | None = None,
) -> Changed:
    with sessions.begin() as session:
        return change_flags(session, ids, change, by=ANA, clock=clock, seen=seen)


def _states(sessions: sessionmaker[Session]) -> list[LinkState]:
    with sessions() as session:
        links = session.scalars(select(IdentityLink).order_by(IdentityLink.author_id))
        return [link.state for link in links]


def test_authors_are_linked_once_each_and_undone_as_one(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    done = _do(sessions, ids, LINK, clock)

    assert list(done.events) == ids[:3]
    assert "does not say who wrote" in done.left[ids[3]]
    assert _states(sessions) == [LinkState.CONFIRMED, LinkState.CONFIRMED]
    with sessions() as session:
        link = session.scalars(select(IdentityLink)).first()
        assert link is not None
        assert (link.decided_by, link.evidence) == (ANA, [])
        assert [event.note for event in review.history(session, link.id)] == [
            "by hand; would not surprise them"
        ]
        written = session.scalars(select(WriteBack)).one()
        assert len(written.fields["groundswell_handles"].split("; ")) == 2
        assert event_says(events_of(session, ids[0])[0]) == "linked to contact 1"
    with sessions.begin() as session:
        undone = undo_changes(session, done.batch, by=BEN, clock=clock)
    assert list(undone.events) == ids[:3]
    assert _states(sessions) == [LinkState.WITHDRAWN, LinkState.WITHDRAWN]
    with sessions() as session:
        assert session.scalars(select(WriteBack)).one().fields["groundswell_handles"] is None


def test_an_unlinked_author_is_rejected_as_on_the_review_page_until_undone(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    _do(sessions, ids[:1], LINK, clock)

    done = _do(sessions, ids[:3], Change(Act.UNLINK), clock)

    assert list(done.events) == ids[:2]
    assert done.left[ids[2]] == "they are linked to nobody in the CRM"
    assert _states(sessions) == [LinkState.REJECTED]
    with sessions.begin() as session:
        undo_changes(session, done.batch, by=ANA, clock=clock)
    assert _states(sessions) == [LinkState.CONFIRMED]
    # A person who knows better links who was rejected.
    _do(sessions, ids[:1], Change(Act.UNLINK, contact_id=1), clock)
    _do(sessions, ids[:1], LINK, clock)
    assert _states(sessions) == [LinkState.CONFIRMED]


def test_a_suggestion_is_confirmed_with_its_evidence(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        author_id = session.get_one(Mention, ids[0]).author_id
        assert author_id is not None
        make_link(session, author_id, session.get_one(Contact, 1))

    _do(sessions, ids[:1], LINK, clock)

    with sessions() as session:
        link = session.scalars(select(IdentityLink)).one()
        assert (link.state, len(link.evidence)) == (LinkState.CONFIRMED, 2)
    assert _do(sessions, ids[:1], LINK, clock).left == {
        ids[0]: "they are linked to Ines Okafor already"
    }


def test_what_may_not_be_linked_is_refused(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with pytest.raises(InputError, match="say that this would not surprise them"):
        _do(sessions, ids[:1], Change(Act.LINK, contact_id=1), clock)
    with pytest.raises(NotFoundError, match="there is no contact 99"):
        _do(sessions, ids[:1], Change(Act.LINK, contact_id=99, is_expected=True), clock)
    with pytest.raises(InputError, match="say which contact"):
        _do(sessions, ids[:1], Change(Act.LINK), clock)
    with sessions.begin() as session:
        session.get_one(Contact, 1).deleted_at = clock()
    with pytest.raises(NotFoundError, match="there is no contact 1"):
        _do(sessions, ids[:1], LINK, clock)
    assert _states(sessions) == []


def test_who_saw_an_older_version_links_nobody_and_later_decisions_stay(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    done = _do(sessions, ids[:1], LINK, clock, seen={ids[0]: 1})
    late = _do(sessions, ids[:1], Change(Act.UNLINK), clock, seen={ids[0]: 1})

    assert "Nothing of yours was done" in late.left[ids[0]]
    with sessions.begin() as session:
        link = session.scalars(select(IdentityLink)).one()
        review.reject(session, link.id, by=BEN, clock=clock)
    with sessions.begin() as session, pytest.raises(ConflictError, match="decided about link"):
        undo_changes(session, done.batch, by=ANA, clock=clock)
    assert _states(sessions) == [LinkState.REJECTED]


def test_mentions_open_an_incident_by_a_persons_word(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    change = Change(Act.ESCALATE, severity="SEV-2", note="A journalist asks about it")

    done = _do(sessions, ids[:2], change, clock)

    incident_id = done.events[ids[0]].after["incident_id"]
    with sessions() as session:
        incident = get_incident(session, incident_id)
        assert (incident.status, incident.severity) == (IncidentStatus.OPEN, "SEV-2")
        assert (incident.topic, incident.facts["negatives"]) == ("glass", 4)
        raised = next(one for one in list_events(session, incident_id) if one.kind == "raised")
        assert (raised.actor, raised.detail["mention_ids"]) == (ANA, ids[:2])
        assert list_notifications(session, incident_id)
    with sessions.begin() as session, pytest.raises(ConflictError, match="resolve the incident"):
        undo_changes(session, done.batch, by=ANA, clock=clock)


def test_more_mentions_join_what_is_open_and_make_it_as_severe_as_they_are(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    def escalate(one: int, **values: object) -> int:
        change = Change(Act.ESCALATE, note="It grows", **values)  # type: ignore[arg-type]
        found = _do(sessions, [one], change, clock).events[one].after["incident_id"]
        assert isinstance(found, int)
        return found

    first = escalate(ids[0], severity="SEV-3")
    assert escalate(ids[1], severity="SEV-1") == first
    assert escalate(ids[2], incident_id=first) == first

    with sessions() as session:
        incident = get_incident(session, first)
        assert incident.severity == "SEV-1"
        assert [one.kind for one in list_events(session, first)].count("raised") == 3
        assert len(session.scalars(select(Incident)).all()) == 1
    with sessions.begin() as session:
        resolve(session, first, by=ANA, reason="over", clock=clock)
    with pytest.raises(ConflictError, match="resolved already"):
        escalate(ids[3], incident_id=first)


def test_an_escalation_says_why_and_what(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with pytest.raises(InputError, match="say why"):
        _do(sessions, ids[:1], Change(Act.ESCALATE, severity="SEV-2"), clock)
    with pytest.raises(InputError, match="no severity 'SEV-9'; known: SEV-1"):
        _do(sessions, ids[:1], Change(Act.ESCALATE, severity="SEV-9", note="why"), clock)
    with pytest.raises(InputError, match="which incident"):
        _do(sessions, ids[:1], Change(Act.ESCALATE, note="why"), clock)
    with sessions.begin() as session:
        brand = make_brand(session)
        other = make_mention(session, brand, **judged("negative", Priority.RISK))
        make_flag(session, other, Priority.RISK)
        number = other.id
    opened = _do(sessions, ids[:1], Change(Act.ESCALATE, severity="SEV-2", note="why"), clock)
    incident_id = opened.events[ids[0]].after["incident_id"]
    with pytest.raises(ConflictError, match="another brand"):
        _do(sessions, [number], Change(Act.ESCALATE, incident_id=incident_id, note="w"), clock)


def test_a_mention_shows_the_incident_of_another_topic_that_it_was_put_into(
    sessions: sessionmaker[Session], ids: list[int], clock: MovableClock
) -> None:
    with sessions.begin() as session:
        other = session.get_one(Mention, ids[1])
        other.topic = "app"
    change = Change(Act.ESCALATE, severity="SEV-2", note="A journalist asks about it")
    opened = _do(sessions, ids[:1], change, clock).events[ids[0]].after["incident_id"]
    with sessions() as session:
        assert view_mention(session, ids[1]).incidents == []

    _do(sessions, ids[1:2], Change(Act.ESCALATE, incident_id=opened, note="the same"), clock)

    with sessions() as session:
        for one in ids[:2]:
            assert [found.id for found in view_mention(session, one).incidents] == [opened]
