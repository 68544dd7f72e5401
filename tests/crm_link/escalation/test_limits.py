"""Limits of a person's messages: they delay and bundle, and drop nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.models import Notification
from crm_link.escalation.notify import deliver_notifications
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_burst, make_protocol

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"
LIMIT = "\nlimits: {messages: 2, per: 10m, bundle_from: 4}\n"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _open(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    receiver: Receiver,
    *counts: int,
    limit: str = LIMIT,
) -> None:
    """Open an incident of a brand of its own for each count."""
    address = receiver.url.replace("http://", "json://")
    channel = f'tz: Europe/Madrid, channels: [{{kind: chat, to: "{address}"}}]'
    protocol = make_protocol(PROTOCOL + limit, **{ANNA: channel})
    with sessions() as session:
        made = session.scalar(select(func.count()).select_from(Notification)) or 0
    for number, count in enumerate(counts):
        brand_id = make_brand(sessions, key=f"brand{made + number}")
        make_burst(sessions, brand_id, count, published_at=clock() - timedelta(minutes=1))
        detect(sessions, {brand_id: protocol}, clock=clock)


def _titles(receiver: Receiver) -> list[str]:
    return [json.loads(body)["title"] for _, body in receiver.requests]


def _unsent(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).where(Notification.sent_at.is_(None))) or 0


def test_a_limit_delays_and_drops_nothing(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    for _ in range(5):
        _open(sessions, clock, receiver, 12)
        deliver_notifications(sessions, clock=clock)
        clock.forward(seconds=10)

    assert (len(receiver.requests), _unsent(sessions)) == (2, 3)
    clock.forward(minutes=10)
    deliver_notifications(sessions, clock=clock)
    # What waited leaves together, within the limit.
    assert _unsent(sessions) == 0
    assert len(receiver.requests) == 3
    assert _titles(receiver)[-1].startswith("3 alerts: [SEV-3]")


def test_many_messages_to_one_person_leave_as_one_the_worst_first(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    _open(sessions, clock, receiver, 12, 12, 25, 12, 25)

    sent = deliver_notifications(sessions, clock=clock, public_url="https://c.example")

    assert (sent, len(receiver.requests)) == (5, 1)
    message = json.loads(receiver.requests[0][1])
    assert message["title"].startswith("5 alerts: [SEV-2]")
    bodies = message["message"]
    assert bodies.index("[SEV-2]") < bodies.index("[SEV-3]")
    assert bodies.count("Acknowledge within") == 5
    with sessions() as session:
        assert len(set(session.scalars(select(Notification.sent_at)))) == 1


def test_sev_1_goes_first_and_through_a_limit_that_holds_the_others(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    for count in (12, 12, 12, 45):
        _open(sessions, clock, receiver, count)
        deliver_notifications(sessions, clock=clock)
        clock.forward(seconds=1)

    titles = [title[:7] for title in _titles(receiver)]
    assert titles == ["[SEV-3]", "[SEV-3]", "[SEV-1]"]


def test_a_bundle_that_fails_is_tried_again_with_all_of_its_messages(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((503, {}))
    _open(sessions, clock, receiver, 12, 12, 12, 12)

    assert deliver_notifications(sessions, clock=clock) == 0
    clock.forward(seconds=5)
    assert deliver_notifications(sessions, clock=clock) == 4

    first, second = receiver.requests
    assert first[0]["X-Idempotency-Key"] == second[0]["X-Idempotency-Key"]


def test_a_channel_for_programs_has_no_limit(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    protocol = make_protocol(
        PROTOCOL + LIMIT,
        **{ANNA: f'tz: Europe/Madrid, channels: [{{kind: webhook, to: "{receiver.url}"}}]'},
    )
    for number in range(6):
        brand_id = make_brand(sessions, key=f"brand{number}")
        make_burst(sessions, brand_id, 12)
        detect(sessions, {brand_id: protocol}, clock=clock)

    assert deliver_notifications(sessions, clock=clock) == 6
    assert len(receiver.requests) == 6


def test_a_refused_bundle_is_a_dead_letter_for_each_of_its_messages(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((403, {}))
    _open(sessions, clock, receiver, 12, 12, 12, 12)

    deliver_notifications(sessions, clock=clock)

    with sessions() as session:
        dead = session.scalars(
            select(Notification).where(Notification.status == DeliveryStatus.DEAD)
        ).all()
    assert len(dead) == 4
