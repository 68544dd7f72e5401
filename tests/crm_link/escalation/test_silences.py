from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import escalate_now, list_events, resolve, set_severity
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.silences import (
    Matcher,
    create_silence,
    end_silence,
    list_silences,
    preview,
)
from crm_link.models import DeliveryStatus
from tests.crm_link.making import NOON, MovableClock, make_brand, make_burst, make_protocol

MILD = Matcher(("SEV-3", "SEV-4"))


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _silence(
    sessions: sessionmaker[Session], clock: MovableClock, matcher: Matcher = MILD, hours: int = 2
) -> int:
    with sessions.begin() as session:
        return create_silence(
            session,
            matcher,
            starts_at=clock(),
            ends_at=clock() + timedelta(hours=hours),
            comment="the autumn campaign",
            by="pr@example.org",
            clock=clock,
        ).id


def _burst(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    brand_id: int,
    count: int,
    topic: str = "general",
) -> None:
    make_burst(sessions, brand_id, count, topic=topic, published_at=clock() - timedelta(minutes=1))
    detect(sessions, {brand_id: make_protocol()}, clock=clock)


def _incidents(sessions: sessionmaker[Session]) -> list[Incident]:
    with sessions() as session:
        return list(session.scalars(select(Incident).order_by(Incident.id)))


def _told(sessions: sessionmaker[Session]) -> list[tuple[str, str]]:
    with sessions() as session:
        rows = session.execute(
            select(Notification.contact, Notification.reason)
            .where(Notification.status != DeliveryStatus.CANCELLED)
            .order_by(Notification.id)
        )
        return [(contact, reason) for contact, reason in rows]


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def test_a_burst_during_a_silence_is_recorded_and_raised_at_its_end_if_it_is_still_on(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _silence(sessions, clock)
    _burst(sessions, clock, brand_id, 12)

    (incident,) = _incidents(sessions)
    assert incident.suppressed_by is not None
    assert incident.next_due_at == NOON + timedelta(hours=2)
    assert _told(sessions) == []
    clock.forward(hours=1, minutes=30)
    make_burst(sessions, brand_id, 12, published_at=clock())
    detect(sessions, {brand_id: make_protocol()}, clock=clock)
    assert _told(sessions) == []
    clock.forward(minutes=30)
    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == [("anna", "step")]
    assert _kinds(sessions, incident.id)[-2:] == ["unsilenced", "notified"]


def test_what_is_over_at_the_end_of_a_silence_is_closed_without_a_word(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _silence(sessions, clock, hours=5)
    _burst(sessions, clock, brand_id, 12)
    clock.forward(hours=5)

    run_due_steps(sessions, clock=clock)

    (incident,) = _incidents(sessions)
    assert incident.status is IncidentStatus.RESOLVED
    assert _told(sessions) == []


def test_a_severe_burst_that_a_silence_hid_is_told_at_its_end_though_it_is_over(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _silence(sessions, clock, Matcher(("SEV-2",)), hours=5)
    _burst(sessions, clock, brand_id, 25)
    assert _told(sessions) == []
    clock.forward(hours=5)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == [("anna", "step")]


def test_a_silence_that_is_ended_early_is_over_at_once(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence_id = _silence(sessions, clock)
    _burst(sessions, clock, brand_id, 12)
    clock.forward(minutes=5)
    with sessions.begin() as session:
        end_silence(session, silence_id, by="pr@example.org", clock=clock)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == [("anna", "step")]
    with sessions.begin() as session, pytest.raises(ConflictError, match="over since"):
        end_silence(session, silence_id, by="pr@example.org", clock=clock)


def test_what_gets_worse_than_the_silence_is_for_is_told_within_a_cycle(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _silence(sessions, clock)
    _burst(sessions, clock, brand_id, 12)
    clock.forward(minutes=1)
    _burst(sessions, clock, brand_id, 30)

    run_due_steps(sessions, clock=clock)

    (incident,) = _incidents(sessions)
    assert incident.severity == "SEV-1"
    assert _told(sessions) == [("anna", "step")]


@pytest.mark.parametrize(
    "matcher",
    [
        Matcher(("SEV-1", "SEV-2")),
        Matcher(("SEV-3",), topics=("battery",)),
        Matcher(("SEV-3",), brand_id=2),
    ],
)
def test_a_silence_is_only_for_what_its_matcher_names(
    sessions: sessionmaker[Session], clock: MovableClock, matcher: Matcher
) -> None:
    brand_id = make_brand(sessions)
    make_brand(sessions, key="other")
    _silence(sessions, clock, matcher)

    _burst(sessions, clock, brand_id, 12)

    assert _told(sessions) == [("anna", "step")]


def test_a_silence_takes_an_incident_that_is_open_already_and_what_has_not_left(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _burst(sessions, clock, brand_id, 12)
    assert _told(sessions) == [("anna", "step")]
    _silence(sessions, clock)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == []
    clock.forward(minutes=10)
    assert run_due_steps(sessions, clock=clock) == 0


def test_who_got_the_alert_learns_of_its_end_though_it_was_silenced_since_and_nobody_else(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _burst(sessions, clock, brand_id, 12)
    deliver_notifications(sessions, clock=clock)
    _silence(sessions, clock)
    clock.forward(minutes=30)
    run_due_steps(sessions, clock=clock)
    (incident,) = _incidents(sessions)
    with sessions.begin() as session:
        resolve(session, incident.id, by="a@b.c", reason="over", clock=clock)

    assert _told(sessions) == [("anna", "step"), ("anna", "resolved")]


def test_whoever_escalates_by_hand_is_obeyed_during_a_silence(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _silence(sessions, clock)
    _burst(sessions, clock, brand_id, 12)
    (incident,) = _incidents(sessions)
    with sessions.begin() as session:
        escalate_now(session, incident.id, by="a@b.c", reason="this is no campaign", clock=clock)
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == [("anna", "step"), ("ben", "step")]


def test_a_preview_shows_what_a_silence_would_have_hidden(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _burst(sessions, clock, brand_id, 12)
    other_id = make_brand(sessions, key="other")
    _burst(sessions, clock, other_id, 25)
    with sessions() as session:
        seen = {
            matcher: [one.brand_id for one in preview(session, matcher, now=clock())]
            for matcher in (MILD, Matcher(("SEV-2",)), Matcher(("SEV-3",), brand_id=other_id))
        }

    assert list(seen.values()) == [[brand_id], [other_id], []]


@pytest.mark.parametrize(
    ("hours", "comment", "severities", "problem"),
    [
        (0, "why", ("SEV-3",), "ends after it begins"),
        (24 * 40, "why", ("SEV-3",), "31 days at most"),
        (1, " ", ("SEV-3",), "say why"),
        (1, "why", (), "which severities"),
        (1, "why", ("SEV-9",), "which severities"),
    ],
)
def test_a_silence_without_end_reason_or_severity_is_refused(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    hours: int,
    comment: str,
    severities: tuple[str, ...],
    problem: str,
) -> None:
    with sessions.begin() as session, pytest.raises(InputError, match=problem):
        create_silence(
            session,
            Matcher(severities),
            starts_at=clock(),
            ends_at=clock() + timedelta(hours=hours),
            comment=comment,
            by="a@b.c",
            clock=clock,
        )


def test_silences_that_are_over_are_kept_with_who_set_them(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    _silence(sessions, clock)
    clock.forward(hours=3)
    with sessions() as session:
        assert list_silences(session, now=clock()) == []
        (kept,) = list_silences(session, now=clock(), with_past=True)

    assert (kept.created_by, kept.comment) == ("pr@example.org", "the autumn campaign")


def test_a_brand_wide_sev_1_inhibits_the_mild_incidents_of_single_topics(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _burst(sessions, clock, brand_id, 60)
    _burst(sessions, clock, brand_id, 12, topic="battery")
    whole, topic = _incidents(sessions)

    assert topic.suppressed_by == f"incident:{whole.id}"
    assert _told(sessions) == [("anna", "step")]
    with sessions.begin() as session:
        resolve(session, whole.id, by="a@b.c", reason="over", clock=clock)
    clock.forward(minutes=1)
    run_due_steps(sessions, clock=clock)
    assert _incidents(sessions)[1].suppressed_by is None
    assert len(_told(sessions)) == 1  # the topic's own; the brand's had not left


def test_a_severe_incident_of_a_topic_is_not_inhibited(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    _burst(sessions, clock, brand_id, 60)
    _burst(sessions, clock, brand_id, 12, topic="battery")
    topic = _incidents(sessions)[1]
    with sessions.begin() as session:
        set_severity(session, topic.id, severity="SEV-2", by="a@b.c", clock=clock)

    run_due_steps(sessions, clock=clock)

    assert _incidents(sessions)[1].suppressed_by is None
    assert len(_told(sessions)) == 2
