"""The chain of escalation by the clock: each step when it is due, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident, IncidentStatus, ProtocolVersion
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.protocol_parts.file import parse_protocol
from tests.crm_link.escalation.opened import get_incident, kinds, open_incident, told
from tests.crm_link.making import MovableClock, make_brand, make_burst, make_protocol


def test_each_step_is_taken_when_it_is_due_and_not_before(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    open_incident(sessions, clock)
    clock.forward(minutes=4, seconds=59)
    assert run_due_steps(sessions, clock=clock) == 0

    clock.forward(seconds=1)
    assert run_due_steps(sessions, clock=clock) == 1
    assert run_due_steps(sessions, clock=clock) == 0
    assert told(sessions) == ["anna", "ben"]

    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    assert told(sessions) == ["anna", "ben", "dora"]


def test_overdue_steps_are_taken_once_and_in_order_after_a_restart(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)
    clock.forward(days=2)

    assert run_due_steps(sessions, clock=clock) == 1
    assert run_due_steps(sessions, clock=clock) == 0

    assert told(sessions) == ["anna", "ben", "dora"]
    assert get_incident(sessions, incident_id).next_due_at == clock() + timedelta(hours=1)


def test_nobody_gets_two_messages_from_steps_that_are_overdue_together(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    open_incident(sessions, clock, words={"notify: [crisis_lead]": "notify: [everyone]"})
    clock.forward(hours=1)

    run_due_steps(sessions, clock=clock)

    assert told(sessions) == ["anna", "ben", "anna", "dora"]


def test_the_chain_is_gone_through_again_and_then_everyone_is_told_once(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock)
    for _ in range(300):
        clock.forward(minutes=5)
        run_due_steps(sessions, clock=clock)

    assert told(sessions) == [*["anna", "ben", "dora"] * 2, "anna", "ben", "dora"]
    incident = get_incident(sessions, incident_id)
    assert incident.next_due_at is None
    assert incident.status is IncidentStatus.OPEN
    assert kinds(sessions, incident_id).count("last_resort") == 1


def test_two_workers_take_a_step_once(sessions: sessionmaker[Session], clock: MovableClock) -> None:
    incident_id = open_incident(sessions, clock)
    clock.forward(minutes=5)
    start = Barrier(4)

    def work() -> int:
        start.wait()
        return run_due_steps(sessions, clock=clock)

    with ThreadPoolExecutor(4) as pool:
        moved = sum(pool.map(lambda _: work(), range(4)))

    assert moved == 1
    assert told(sessions) == ["anna", "ben"]
    assert kinds(sessions, incident_id).count("notified") == 2


def test_a_clock_that_goes_back_takes_no_step_twice(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    open_incident(sessions, clock)
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    clock.forward(minutes=-30)
    assert run_due_steps(sessions, clock=clock) == 0
    clock.forward(minutes=30)
    assert run_due_steps(sessions, clock=clock) == 0

    assert told(sessions) == ["anna", "ben"]


def test_an_incident_whose_protocol_cannot_be_read_any_more_holds_up_no_other(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    broken, whole = open_incident(sessions, clock), open_incident(sessions, clock, key="other")
    with sessions.begin() as session:
        version_id = session.get_one(Incident, broken).protocol_version_id
        session.execute(
            update(ProtocolVersion)
            .where(ProtocolVersion.id == version_id)
            .values(content="version: 0  # of a plugin that is gone")
        )

    delivered = deliver_notifications(sessions, clock=clock)
    clock.forward(minutes=5)
    moved = run_due_steps(sessions, clock=clock)

    assert (delivered, moved) == (1, 1)
    assert get_incident(sessions, broken).step == 1
    assert get_incident(sessions, whole).step == 2


def test_a_first_step_with_a_delay_is_taken_when_it_is_due(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12, published_at=clock() - timedelta(minutes=1))
    protocol = make_protocol()
    chain = protocol.escalation["default"]
    late = chain.steps[0].model_copy(update={"after": timedelta(minutes=2)})
    rest = tuple(
        step.model_copy(update={"after": step.after + timedelta(minutes=2)})
        for step in chain.steps[1:]
    )
    changed = chain.model_copy(update={"steps": (late, *rest)})
    source = protocol.model_copy(update={"escalation": {"default": changed}}).model_dump_json()
    (incident_id,) = detect(sessions, {brand_id: parse_protocol(source)}, clock=clock)

    assert told(sessions) == []
    clock.forward(minutes=2)
    run_due_steps(sessions, clock=clock)

    assert len(told(sessions)) == 1
    assert get_incident(sessions, incident_id).status is IncidentStatus.OPEN
