from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.delivery.silences import (
    Matcher,
    create_silence,
    end_silence,
    list_silences,
    preview,
)
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import escalate_now, resolve
from crm_link.escalation.models import IncidentStatus
from crm_link.escalation.notify import deliver_notifications
from tests.crm_link.escalation.silencing import MILD, burst, incidents_of, silence
from tests.crm_link.escalation.timelines import kinds_of, told_of
from tests.crm_link.making import NOON, MovableClock, make_brand, make_burst, make_protocol


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def test_a_burst_during_a_silence_is_recorded_and_raised_at_its_end_if_it_is_still_on(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence(sessions, clock)
    burst(sessions, clock, brand_id, 12)

    (incident,) = incidents_of(sessions)
    assert incident.suppressed_by is not None
    assert incident.next_due_at == NOON + timedelta(hours=2)
    assert told_of(sessions) == []
    clock.forward(hours=1, minutes=30)
    make_burst(sessions, brand_id, 12, published_at=clock())
    detect(sessions, {brand_id: make_protocol()}, clock=clock)
    assert told_of(sessions) == []
    clock.forward(minutes=30)
    run_due_steps(sessions, clock=clock)

    assert told_of(sessions) == [("anna", "step")]
    assert kinds_of(sessions, incident.id)[-2:] == ["unsilenced", "notified"]


def test_what_is_over_at_the_end_of_a_silence_is_closed_without_a_word(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence(sessions, clock, hours=5)
    burst(sessions, clock, brand_id, 12)
    clock.forward(hours=5)

    run_due_steps(sessions, clock=clock)

    (incident,) = incidents_of(sessions)
    assert incident.status is IncidentStatus.RESOLVED
    assert told_of(sessions) == []


def test_a_severe_burst_that_a_silence_hid_is_told_at_its_end_though_it_is_over(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence(sessions, clock, Matcher(("SEV-2",)), hours=5)
    burst(sessions, clock, brand_id, 25)
    assert told_of(sessions) == []
    clock.forward(hours=5)

    run_due_steps(sessions, clock=clock)

    assert told_of(sessions) == [("anna", "step")]


def test_a_silence_that_is_ended_early_is_over_at_once(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence_id = silence(sessions, clock)
    burst(sessions, clock, brand_id, 12)
    clock.forward(minutes=5)
    with sessions.begin() as session:
        end_silence(session, silence_id, by="pr@example.org", clock=clock)

    run_due_steps(sessions, clock=clock)

    assert told_of(sessions) == [("anna", "step")]
    with sessions.begin() as session, pytest.raises(ConflictError, match="over since"):
        end_silence(session, silence_id, by="pr@example.org", clock=clock)


def test_what_gets_worse_than_the_silence_is_for_is_told_within_a_cycle(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence(sessions, clock)
    burst(sessions, clock, brand_id, 12)
    clock.forward(minutes=1)
    burst(sessions, clock, brand_id, 30)

    run_due_steps(sessions, clock=clock)

    (incident,) = incidents_of(sessions)
    assert incident.severity == "SEV-1"
    assert told_of(sessions) == [("anna", "step")]


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
    silence(sessions, clock, matcher)

    burst(sessions, clock, brand_id, 12)

    assert told_of(sessions) == [("anna", "step")]


def test_a_silence_takes_an_incident_that_is_open_already_and_what_has_not_left(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    burst(sessions, clock, brand_id, 12)
    assert told_of(sessions) == [("anna", "step")]
    silence(sessions, clock)

    run_due_steps(sessions, clock=clock)

    assert told_of(sessions) == []
    clock.forward(minutes=10)
    assert run_due_steps(sessions, clock=clock) == 0


def test_who_got_the_alert_learns_of_its_end_though_it_was_silenced_since_and_nobody_else(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    burst(sessions, clock, brand_id, 12)
    deliver_notifications(sessions, clock=clock)
    silence(sessions, clock)
    clock.forward(minutes=30)
    run_due_steps(sessions, clock=clock)
    (incident,) = incidents_of(sessions)
    with sessions.begin() as session:
        resolve(session, incident.id, by="a@b.c", reason="over", clock=clock)

    assert told_of(sessions) == [("anna", "step"), ("anna", "resolved")]


def test_whoever_escalates_by_hand_is_obeyed_during_a_silence(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    silence(sessions, clock)
    burst(sessions, clock, brand_id, 12)
    (incident,) = incidents_of(sessions)
    with sessions.begin() as session:
        escalate_now(session, incident.id, by="a@b.c", reason="this is no campaign", clock=clock)
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)

    assert told_of(sessions) == [("anna", "step"), ("ben", "step")]


def test_a_preview_shows_what_a_silence_would_have_hidden(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    burst(sessions, clock, brand_id, 12)
    other_id = make_brand(sessions, key="other")
    burst(sessions, clock, other_id, 25)
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
    silence(sessions, clock)
    clock.forward(hours=3)
    with sessions() as session:
        assert list_silences(session, now=clock()) == []
        (kept,) = list_silences(session, now=clock(), with_past=True)

    assert (kept.created_by, kept.comment) == ("pr@example.org", "the autumn campaign")
