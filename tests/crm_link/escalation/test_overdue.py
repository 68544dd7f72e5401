"""Clocks of the playbook, and who is reminded when one runs out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import (
    acknowledge,
    get_incident,
    list_events,
    resolve,
    set_severity,
)
from crm_link.escalation.models import Notification
from crm_link.escalation.overdue import remind_overdue
from crm_link.escalation.playbook.clocks import clocks_due, list_clocks
from crm_link.escalation.playbook.playbook_models import ClockKind
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import (
    NOON,
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, {brand_id: make_protocol(FULL)}, clock=clock)
    return incident_id


def test_the_clocks_run_move_with_the_severity_and_stop_at_the_end(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        (clock_row,) = list_clocks(session, incident_id)
        assert (clock_row.kind, clock_row.due_at - NOON) == (
            ClockKind.HOLDING_STATEMENT,
            timedelta(hours=1),
        )
    clock.forward(minutes=12)
    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="dora", clock=clock)
    with sessions.begin() as session:
        (clock_row,) = list_clocks(session, incident_id)
        # 15 minutes from the beginning would be in 3; a third of them is left at least.
        assert clock_row.due_at - NOON == timedelta(minutes=17)
        resolve(session, incident_id, by="dora", reason="over", clock=clock)

    with sessions() as session:
        (clock_row,) = list_clocks(session, incident_id)
        assert (clock_row.stopped_at, clock_row.is_met) == (clock.now, None)


def test_what_is_overdue_is_reminded_of_once_in_a_while(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
    clock.forward(minutes=16)
    assert remind_overdue(sessions, clock=clock) == 1  # verify_facts
    assert remind_overdue(sessions, clock=clock) == 0
    clock.forward(minutes=15)
    assert remind_overdue(sessions, clock=clock) == 1
    clock.forward(minutes=30)
    assert remind_overdue(sessions, clock=clock) == 3  # with the statement and its task

    with sessions() as session:
        rows = session.scalars(
            select(Notification).where(Notification.reason == "overdue").order_by(Notification.id)
        ).all()
        assert {row.contact for row in rows} == {"dora"}
        assert rows[0].payload["about"].startswith("Overdue since 2026-03-10 12:15 UTC: Find out")
        assert clocks_due(session, clock.now) == []
        kinds = [event.kind for event in list_events(session, incident_id)]
        assert kinds.count("overdue") == 5


@pytest.mark.parametrize(("week", "reminded"), [(0, "anna"), (1, "ben")])
def test_who_is_on_call_is_reminded_and_not_the_whole_rotation(
    sessions: sessionmaker[Session], clock: MovableClock, week: int, reminded: str
) -> None:
    first_monday = (NOON - timedelta(days=NOON.weekday() + 7 * week)).date()
    on_call = f"{{tz: UTC, members: [anna, ben], start: {first_monday}}}"
    protocol = make_protocol(
        FULL.replace("    owner: crisis_lead\n", "").replace(
            "notify: [social_manager]", "notify: [on_call(social)]"
        )
        + f"on_call: {{social: {on_call}}}\n"
    )
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (number,) = detect(sessions, {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, number, by="a pr lead", clock=clock)
    clock.forward(minutes=16)
    remind_overdue(sessions, clock=clock)
    with sessions() as session:
        told = session.scalars(
            select(Notification.contact).where(Notification.reason == "overdue")
        ).all()
        assert told == [reminded]


def test_who_took_it_on_in_the_console_is_reminded(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    protocol = make_protocol(FULL.replace("    owner: crisis_lead\n", ""))
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (number,) = detect(sessions, {brand_id: protocol}, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, number, by="Dora@example.org", clock=clock)
    clock.forward(minutes=16)
    remind_overdue(sessions, clock=clock)
    with sessions() as session:
        told = session.scalars(
            select(Notification.contact).where(Notification.reason == "overdue")
        ).all()
        assert told == ["dora"]


def test_what_is_overdue_in_a_silence_keeps_no_other_reminder_waiting(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)
        get_incident(session, incident_id).suppressed_by = "silence:1"
    clock.forward(minutes=16)
    with sessions.begin() as session:
        assert clocks_due(session, clock.now) == []
        get_incident(session, incident_id).suppressed_by = None
    assert remind_overdue(sessions, clock=clock) == 1
