"""Messages whose channel fails, is slow, or whose sender dies."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident, Notification
from crm_link.escalation.notify import LEASE, deliver_notifications
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.messaging import ANNA, BEN, hook_to, open_incident, outbox_of
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.escalation.timelines import kinds_of
from tests.crm_link.making import (
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def test_a_dead_channel_is_followed_by_the_next_one_and_then_by_the_next_step_at_once(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(404, {}), (410, {})])
    incident_id = open_incident(sessions, clock, anna=f"{hook_to(receiver)}, {hook_to(receiver)}")

    assert deliver_notifications(sessions, clock=clock) == 0
    assert outbox_of(sessions) == [
        ("anna", "webhook", DeliveryStatus.DEAD),
        ("anna", "webhook", DeliveryStatus.PENDING),
    ]
    assert deliver_notifications(sessions, clock=clock) == 0
    # ben's own, and what tells him that anna cannot be reached
    assert deliver_notifications(sessions, clock=clock) == 2

    assert outbox_of(sessions)[1:] == [
        ("anna", "webhook", DeliveryStatus.DEAD),
        ("ben", "log", DeliveryStatus.SENT),
    ]
    assert kinds_of(sessions, incident_id) == [
        "opened",
        "notified",
        "delivery_failed",
        "delivery_failed",
        "unreachable",
        "notified",
    ]
    with sessions() as session:  # dora's step keeps its distance to ben's
        assert session.get_one(Incident, incident_id).next_due_at == clock() + timedelta(minutes=5)


def test_a_step_of_which_somebody_was_reached_does_not_hurry_the_next(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((404, {}))
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    protocol = make_protocol(
        **{
            ANNA: f"tz: Europe/Madrid, channels: [{hook_to(receiver)}]",
            "notify: [social_manager]": "notify: [social_manager, crisis_lead]",
        }
    )
    detect(sessions, {brand_id: protocol}, clock=clock)

    deliver_notifications(sessions, clock=clock)

    assert sorted(contact for contact, _, _ in outbox_of(sessions)) == ["anna", "dora"]


def test_a_passing_failure_is_tried_again_later_and_later(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(503, {})] * 3)
    open_incident(sessions, clock, anna=hook_to(receiver))
    waits = []
    while len(receiver.requests) < 4:
        before = clock()
        deliver_notifications(sessions, clock=clock)
        with sessions() as session:
            due = session.scalars(select(Notification.next_attempt_at)).first()
        assert due is not None
        waits.append((due - before).total_seconds())
        clock.now = due
        assert len(receiver.requests) == len(waits)

    assert 1 <= waits[0] <= 2 <= waits[1] <= 4 <= waits[2] <= 8
    assert len({headers["X-Idempotency-Key"] for headers, _ in receiver.requests}) == 1
    assert outbox_of(sessions)[0][2] is DeliveryStatus.SENT


def test_a_wait_that_the_other_side_asks_for_is_kept(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((429, {"Retry-After": "90"}))
    open_incident(sessions, clock, anna=hook_to(receiver))

    deliver_notifications(sessions, clock=clock)
    clock.forward(seconds=89)
    deliver_notifications(sessions, clock=clock)
    assert len(receiver.requests) == 1

    clock.forward(seconds=1)
    assert deliver_notifications(sessions, clock=clock) == 1


def test_too_many_failures_try_another_way_and_the_last_way_is_kept_open(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(503, {})] * 9)
    open_incident(sessions, clock, anna=f"{hook_to(receiver)}, {hook_to(receiver)}")
    for _ in range(8):
        deliver_notifications(sessions, clock=clock)
        clock.forward(seconds=20)

    assert [(contact, status) for contact, _, status in outbox_of(sessions)] == [
        ("anna", DeliveryStatus.DEAD),
        ("anna", DeliveryStatus.PENDING),  # never given up within a day
        ("ben", DeliveryStatus.PENDING),  # the next step, since anna cannot be reached
    ]
    clock.forward(minutes=10)
    deliver_notifications(sessions, clock=clock)
    clock.forward(minutes=10)
    deliver_notifications(sessions, clock=clock)
    assert {status for _, _, status in outbox_of(sessions)[1:]} == {DeliveryStatus.SENT}


def test_a_message_whose_sender_crashed_is_sent_again_after_its_lease(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    open_incident(sessions, clock, anna=hook_to(receiver))
    with sessions.begin() as session:  # as a worker leaves it that is killed after claiming
        lease = clock() + LEASE
        session.execute(
            update(Notification).values(
                status=DeliveryStatus.SENDING, attempts=1, lease_until=lease, next_attempt_at=lease
            )
        )
    clock.forward(seconds=59)
    assert deliver_notifications(sessions, clock=clock) == 0

    clock.forward(seconds=1)
    assert deliver_notifications(sessions, clock=clock) == 1


def test_many_workers_never_send_the_same_message(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    for number in range(6):
        brand_id = make_brand(sessions, f"brand{number}")
        make_burst(sessions, brand_id, 25)
        protocol = make_protocol(
            **{
                ANNA: f"tz: Europe/Madrid, channels: [{hook_to(receiver)}]",
                BEN: f"tz: Europe/London, channels: [{hook_to(receiver)}]",
            }
        )
        detect(sessions, {brand_id: protocol}, clock=clock)
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)
    receiver.delay_s = 0.02
    start = Barrier(4)

    def work() -> int:
        start.wait()
        return deliver_notifications(sessions, clock=clock)

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(lambda _: work(), range(4)))

    keys = Counter(headers["X-Idempotency-Key"] for headers, _ in receiver.requests)
    assert (sent, len(keys), max(keys.values())) == (12, 12, 1)


def test_a_slow_channel_of_one_contact_does_not_hold_the_others(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.delay_s = 1.0
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    protocol = make_protocol(
        **{
            ANNA: f"tz: Europe/Madrid, channels: [{hook_to(receiver)}]",
            "notify: [social_manager]": "notify: [everyone]",
        }
    )
    detect(sessions, {brand_id: protocol}, clock=clock)

    with ThreadPoolExecutor(1) as pool:
        delivering = pool.submit(deliver_notifications, sessions, clock=clock)
        while not delivering.done():
            statuses = {contact: status for contact, _, status in outbox_of(sessions)}
            if statuses["ben"] is statuses["dora"] is DeliveryStatus.SENT:
                break
        assert statuses["anna"] is not DeliveryStatus.SENT
        assert delivering.result() == 3


def test_a_secret_that_is_missing_is_a_dead_letter_with_its_name(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = open_incident(sessions, clock, anna="{kind: sms, to: env:ANNA_SMS_MISSING}")

    deliver_notifications(sessions, clock=clock)

    with sessions() as session:
        row = session.scalars(select(Notification).order_by(Notification.id)).first()
        assert row is not None
        assert row.status is DeliveryStatus.DEAD
        assert "ANNA_SMS_MISSING" in (row.last_error or "")
    assert "delivery_failed" in kinds_of(sessions, incident_id)
