"""What people do to the chain of escalation: taking on, handing up, severity, the end."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.incidents import (
    acknowledge,
    add_note,
    escalate_now,
    resolve,
    set_severity,
)
from crm_link.escalation.models import IncidentStatus
from tests.crm_link.escalation.opened import get_incident, kinds, open_incident, told
from tests.crm_link.making import NOON, MovableClock


def test_acknowledging_stops_the_chain_and_takes_back_what_has_not_left(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)

    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    assert told(sessions) == []
    clock.forward(hours=1)
    assert run_due_steps(sessions, clock=clock) == 0


def test_an_acknowledgement_without_news_expires_and_the_chain_goes_on(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock, 25)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)
    clock.forward(minutes=29)
    with sessions.begin() as session:
        add_note(session, incident_id, text="on it", by="anna@example.org", clock=clock)
    clock.forward(minutes=29)
    assert run_due_steps(sessions, clock=clock) == 0

    clock.forward(minutes=1)
    assert run_due_steps(sessions, clock=clock) == 1

    incident = get_incident(sessions, incident_id)
    assert (incident.status, incident.acknowledged_by) == (IncidentStatus.OPEN, None)
    assert told(sessions) == ["ben"]  # anna's message had been taken back unsent
    assert kinds(sessions, incident_id)[-2:] == ["ack_expired", "notified"]


def test_escalating_by_hand_opens_an_acknowledged_incident_and_tells_the_next(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    with sessions.begin() as session:
        escalate_now(session, incident_id, by="anna@example.org", reason="too big", clock=clock)

    assert told(sessions) == ["ben"]
    incident = get_incident(sessions, incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert incident.next_due_at == NOON + timedelta(minutes=5)  # dora's, five minutes after ben's


def test_a_severity_set_by_hand_is_told_and_moves_the_clock(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)
    clock.forward(minutes=10)
    run_due_steps(sessions, clock=clock)
    assert get_incident(sessions, incident_id).next_due_at == clock() + timedelta(hours=1)

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", reason="tv", clock=clock)

    assert told(sessions) == ["anna", "ben", "dora"]  # those waiting were replaced
    assert get_incident(sessions, incident_id).next_due_at == clock() + timedelta(minutes=5)


def test_a_severity_with_steps_of_its_own_tells_those_who_were_left_out(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(
        sessions,
        clock,
        words={"after: 0m}": "after: 0m}\n      - {notify: [crisis_lead], only: [SEV-1]}"},
    )
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    assert told(sessions) == ["anna", "ben"]

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", clock=clock)

    assert sorted(told(sessions)) == ["anna", "ben", "dora"]


def test_resolving_stops_everything_for_good(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="false alarm", clock=clock)
    clock.forward(days=1)

    assert run_due_steps(sessions, clock=clock) == 0
    assert told(sessions) == []  # nobody had got the alert, so nobody is told of its end
