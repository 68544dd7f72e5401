from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import (
    acknowledge,
    add_note,
    escalate_now,
    list_events,
    resolve,
    set_severity,
)
from crm_link.escalation.models import (
    Incident,
    IncidentStatus,
    Notification,
    ProtocolVersion,
)
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.protocol_file import parse_protocol
from crm_link.models import DeliveryStatus
from tests.crm_link.making import NOON, MovableClock, make_brand, make_burst, make_protocol


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _open(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    count: int = 12,
    words: Mapping[str, str] | None = None,
) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, count, published_at=clock() - timedelta(minutes=1))
    (incident_id,) = detect(sessions, {brand_id: make_protocol(**(words or {}))}, clock=clock)
    return incident_id


def _incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def _told(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(
            session.scalars(
                select(Notification.contact)
                .where(Notification.status != DeliveryStatus.CANCELLED)
                .order_by(Notification.id)
            )
        )


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def test_each_step_is_taken_when_it_is_due_and_not_before(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    _open(sessions, clock)
    clock.forward(minutes=4, seconds=59)
    assert run_due_steps(sessions, clock=clock) == 0

    clock.forward(seconds=1)
    assert run_due_steps(sessions, clock=clock) == 1
    assert run_due_steps(sessions, clock=clock) == 0
    assert _told(sessions) == ["anna", "ben"]

    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    assert _told(sessions) == ["anna", "ben", "dora"]


def test_overdue_steps_are_taken_once_and_in_order_after_a_restart(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(days=2)

    assert run_due_steps(sessions, clock=clock) == 1
    assert run_due_steps(sessions, clock=clock) == 0

    assert _told(sessions) == ["anna", "ben", "dora"]
    assert _incident(sessions, incident_id).next_due_at == clock() + timedelta(hours=1)


def test_nobody_gets_two_messages_from_steps_that_are_overdue_together(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    _open(sessions, clock, words={"notify: [crisis_lead]": "notify: [everyone]"})
    clock.forward(hours=1)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == ["anna", "ben", "anna", "dora"]


def test_the_chain_is_gone_through_again_and_then_everyone_is_told_once(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    for _ in range(300):
        clock.forward(minutes=5)
        run_due_steps(sessions, clock=clock)

    assert _told(sessions) == [*["anna", "ben", "dora"] * 2, "anna", "ben", "dora"]
    incident = _incident(sessions, incident_id)
    assert incident.next_due_at is None
    assert incident.status is IncidentStatus.OPEN
    assert _kinds(sessions, incident_id).count("last_resort") == 1


def test_acknowledging_stops_the_chain_and_takes_back_what_has_not_left(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)

    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    assert _told(sessions) == []
    clock.forward(hours=1)
    assert run_due_steps(sessions, clock=clock) == 0


def test_an_acknowledgement_without_news_expires_and_the_chain_goes_on(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock, 25)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)
    clock.forward(minutes=29)
    with sessions.begin() as session:
        add_note(session, incident_id, text="on it", by="anna@example.org", clock=clock)
    clock.forward(minutes=29)
    assert run_due_steps(sessions, clock=clock) == 0

    clock.forward(minutes=1)
    assert run_due_steps(sessions, clock=clock) == 1

    incident = _incident(sessions, incident_id)
    assert (incident.status, incident.acknowledged_by) == (IncidentStatus.OPEN, None)
    assert _told(sessions) == ["ben"]  # anna's message had been taken back unsent
    assert _kinds(sessions, incident_id)[-2:] == ["ack_expired", "notified"]


def test_escalating_by_hand_opens_an_acknowledged_incident_and_tells_the_next(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)

    with sessions.begin() as session:
        escalate_now(session, incident_id, by="anna@example.org", reason="too big", clock=clock)

    assert _told(sessions) == ["ben"]
    incident = _incident(sessions, incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert incident.next_due_at == NOON + timedelta(minutes=5)  # dora's, five minutes after ben's


def test_a_severity_set_by_hand_is_told_and_moves_the_clock(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(minutes=10)
    run_due_steps(sessions, clock=clock)
    assert _incident(sessions, incident_id).next_due_at == clock() + timedelta(hours=1)

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", reason="tv", clock=clock)

    assert _told(sessions) == ["anna", "ben", "dora"]  # those waiting were replaced
    assert _incident(sessions, incident_id).next_due_at == clock() + timedelta(minutes=5)


def test_a_severity_with_steps_of_its_own_tells_those_who_were_left_out(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(
        sessions,
        clock,
        words={"after: 0m}": "after: 0m}\n      - {notify: [crisis_lead], only: [SEV-1]}"},
    )
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    assert _told(sessions) == ["anna", "ben"]

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", clock=clock)

    assert sorted(_told(sessions)) == ["anna", "ben", "dora"]


def test_resolving_stops_everything_for_good(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="false alarm", clock=clock)
    clock.forward(days=1)

    assert run_due_steps(sessions, clock=clock) == 0
    assert _told(sessions) == []  # nobody had got the alert, so nobody is told of its end


QUIET = {"tz: Europe/Madrid": "tz: Europe/Madrid, quiet_hours: 22:00-07:00"}


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # Winter: Madrid is an hour ahead of UTC.
        (datetime(2026, 1, 10, 23, 30, tzinfo=UTC), datetime(2026, 1, 11, 6, 0, tzinfo=UTC)),
        # The night in which the clocks go forward: quiet hours are an hour shorter.
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        # The night in which they go back.
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
        (datetime(2026, 1, 10, 20, 59, tzinfo=UTC), datetime(2026, 1, 10, 20, 59, tzinfo=UTC)),
    ],
)
def test_a_mild_incident_waits_for_the_end_of_quiet_hours_on_the_contacts_clock(
    sessions: sessionmaker[Session], now: datetime, until: datetime
) -> None:
    _open(sessions, MovableClock(now), words=QUIET)

    with sessions() as session:
        assert session.scalars(select(Notification.next_attempt_at)).one() == until


def test_a_severe_incident_wakes_people(sessions: sessionmaker[Session]) -> None:
    night = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)

    _open(sessions, MovableClock(night), 25, words=QUIET)

    with sessions() as session:
        assert session.scalars(select(Notification.next_attempt_at)).one() == night


def test_a_message_that_waits_leaves_at_once_when_it_gets_serious(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(datetime(2026, 1, 10, 23, 30, tzinfo=UTC))
    incident_id = _open(sessions, clock, words=QUIET)

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", clock=clock)

    with sessions() as session:
        waiting = session.execute(
            select(Notification.next_attempt_at, Notification.status).order_by(Notification.id)
        ).all()
    assert [status for _, status in waiting] == [DeliveryStatus.CANCELLED, DeliveryStatus.PENDING]
    assert waiting[1].next_attempt_at == clock()


def test_two_workers_take_a_step_once(sessions: sessionmaker[Session], clock: MovableClock) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(minutes=5)
    start = Barrier(4)

    def work() -> int:
        start.wait()
        return run_due_steps(sessions, clock=clock)

    with ThreadPoolExecutor(4) as pool:
        moved = sum(pool.map(lambda _: work(), range(4)))

    assert moved == 1
    assert _told(sessions) == ["anna", "ben"]
    assert _kinds(sessions, incident_id).count("notified") == 2


def test_a_clock_that_goes_back_takes_no_step_twice(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    _open(sessions, clock)
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    clock.forward(minutes=-30)
    assert run_due_steps(sessions, clock=clock) == 0
    clock.forward(minutes=30)
    assert run_due_steps(sessions, clock=clock) == 0

    assert _told(sessions) == ["anna", "ben"]


def test_an_incident_whose_protocol_cannot_be_read_any_more_holds_up_no_other(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    broken, whole = _open(sessions, clock), _open_another(sessions, clock)
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
    assert _incident(sessions, broken).step == 1
    assert _incident(sessions, whole).step == 2


def _open_another(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions, key="other")
    make_burst(sessions, brand_id, 12, published_at=clock() - timedelta(minutes=1))
    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)
    return incident_id


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

    assert _told(sessions) == []
    clock.forward(minutes=2)
    run_due_steps(sessions, clock=clock)

    assert len(_told(sessions)) == 1
    assert _incident(sessions, incident_id).status is IncidentStatus.OPEN
