from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import acknowledge, list_events, resolve
from crm_link.escalation.models import BURST, Incident, Notification
from crm_link.escalation.notify import LEASE, deliver_notifications
from crm_link.models import DeliveryStatus
from listener.models import Mention
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import (
    PROTOCOL,
    MovableClock,
    make_author,
    make_brand,
    make_burst,
    make_mentions,
    make_protocol,
)

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"
BEN = "tz: Europe/London, channels: [{kind: log}]"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _open(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    anna: str = "{kind: log}",
    ben: str = "{kind: log}",
) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    protocol = make_protocol(
        **{
            ANNA: f"tz: Europe/Madrid, channels: [{anna}]",
            BEN: f"tz: Europe/London, channels: [{ben}]",
        }
    )
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)
    return incident_id


def _outbox(sessions: sessionmaker[Session]) -> list[tuple[str, str, DeliveryStatus]]:
    with sessions() as session:
        rows = session.scalars(
            select(Notification)
            .join(Incident, Incident.id == Notification.incident_id)
            .where(Incident.kind == BURST)
            .order_by(Notification.id)
        )
        return [(row.contact, row.channel, row.status) for row in rows]


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def _hook(receiver: Receiver) -> str:
    return f'{{kind: webhook, to: "{receiver.url}"}}'


def test_a_message_leaves_once_and_says_what_how_big_since_when_and_what_next(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    brand_id = make_brand(sessions)
    author_id = make_author(sessions, 120_000)
    make_burst(sessions, brand_id, 24)
    make_mentions(
        sessions,
        brand_id,
        "My phone  battery is\non fire, and nobody answers. " + "Really. " * 40,
        author_id=author_id,
        pending=None,
        topic="general",
        url="https://x.example/widest",
    )
    protocol = make_protocol(**{ANNA: f"tz: Europe/Madrid, channels: [{_hook(receiver)}]"})
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)

    sent = deliver_notifications(sessions, clock=clock, public_url="https://console.example/")
    again = deliver_notifications(sessions, clock=clock)

    assert (sent, again, len(receiver.requests)) == (1, 0, 1)
    message = json.loads(receiver.requests[0][1])
    assert message["title"] == "[SEV-2] Negative mentions of Acme"
    assert message["body"].startswith(
        "25 negative mentions of Acme in 1h, since 2026-03-10 12:50 CET.\nOn x 25.\n"
    )
    assert "- “My phone battery is on fire, and nobody answers. Really." in message["body"]
    assert "…” (x, 120,000 followers) https://x.example/widest" in message["body"]
    assert (
        f"Acknowledge within 15m: https://console.example/incidents/{incident_id}"
        in message["body"]
    )
    assert "If nobody does: deputy(social_manager) at 2026-03-10 13:05 CET." in message["body"]
    assert message["data"]["top_posts"][0]["url"] == "https://x.example/widest"
    assert message["data"]["next"]["at"] == "2026-03-10T12:05:00+00:00"
    assert _outbox(sessions) == [("anna", "webhook", DeliveryStatus.SENT)]


def test_a_deleted_post_is_quoted_no_more(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    _open(sessions, clock, anna=_hook(receiver))
    with sessions.begin() as session:
        session.execute(update(Mention).values(deleted_at=clock()))

    deliver_notifications(sessions, clock=clock)

    assert "post 1" not in receiver.requests[0][1].decode()


def test_logs_hold_no_texts(sessions: sessionmaker[Session], clock: MovableClock) -> None:
    with structlog.testing.capture_logs() as lines:
        _open(sessions, clock)
        deliver_notifications(sessions, clock=clock)

    assert any(line["event"] == "alert" for line in lines)
    assert "of a burst" not in str(lines)


def test_a_dead_channel_is_followed_by_the_next_one_and_then_by_the_next_step_at_once(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(404, {}), (410, {})])
    incident_id = _open(sessions, clock, anna=f"{_hook(receiver)}, {_hook(receiver)}")

    assert deliver_notifications(sessions, clock=clock) == 0
    assert _outbox(sessions) == [
        ("anna", "webhook", DeliveryStatus.DEAD),
        ("anna", "webhook", DeliveryStatus.PENDING),
    ]
    assert deliver_notifications(sessions, clock=clock) == 0
    # ben's own, and what tells him that anna cannot be reached
    assert deliver_notifications(sessions, clock=clock) == 2

    assert _outbox(sessions)[1:] == [
        ("anna", "webhook", DeliveryStatus.DEAD),
        ("ben", "log", DeliveryStatus.SENT),
    ]
    assert _kinds(sessions, incident_id) == [
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
            ANNA: f"tz: Europe/Madrid, channels: [{_hook(receiver)}]",
            "notify: [social_manager]": "notify: [social_manager, crisis_lead]",
        }
    )
    detect(sessions, {brand_id: protocol}, clock=clock)

    deliver_notifications(sessions, clock=clock)

    assert sorted(contact for contact, _, _ in _outbox(sessions)) == ["anna", "dora"]


def test_a_passing_failure_is_tried_again_later_and_later(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(503, {})] * 3)
    _open(sessions, clock, anna=_hook(receiver))
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
    assert _outbox(sessions)[0][2] is DeliveryStatus.SENT


def test_a_wait_that_the_other_side_asks_for_is_kept(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((429, {"Retry-After": "90"}))
    _open(sessions, clock, anna=_hook(receiver))

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
    _open(sessions, clock, anna=f"{_hook(receiver)}, {_hook(receiver)}")
    for _ in range(8):
        deliver_notifications(sessions, clock=clock)
        clock.forward(seconds=20)

    assert [(contact, status) for contact, _, status in _outbox(sessions)] == [
        ("anna", DeliveryStatus.DEAD),
        ("anna", DeliveryStatus.PENDING),  # never given up within a day
        ("ben", DeliveryStatus.PENDING),  # the next step, since anna cannot be reached
    ]
    clock.forward(minutes=10)
    deliver_notifications(sessions, clock=clock)
    clock.forward(minutes=10)
    deliver_notifications(sessions, clock=clock)
    assert {status for _, _, status in _outbox(sessions)[1:]} == {DeliveryStatus.SENT}


def test_a_message_whose_sender_crashed_is_sent_again_after_its_lease(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    _open(sessions, clock, anna=_hook(receiver))
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
                ANNA: f"tz: Europe/Madrid, channels: [{_hook(receiver)}]",
                BEN: f"tz: Europe/London, channels: [{_hook(receiver)}]",
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


def test_acknowledging_takes_back_a_message_that_waits_for_its_next_attempt(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((503, {}))
    incident_id = _open(sessions, clock, anna=_hook(receiver))
    deliver_notifications(sessions, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
    clock.forward(hours=1)

    assert deliver_notifications(sessions, clock=clock) == 0
    assert len(receiver.requests) == 1


def test_who_got_the_alert_is_told_of_its_end(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    incident_id = _open(sessions, clock, anna=_hook(receiver))
    deliver_notifications(sessions, clock=clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="a test of ours", clock=clock)

    assert deliver_notifications(sessions, clock=clock) == 1

    message = json.loads(receiver.requests[-1][1])
    assert message["title"].startswith("RESOLVED: [SEV-2]")
    assert "Resolved by a@b.c: a test of ours" in message["body"]


def test_a_slow_channel_of_one_contact_does_not_hold_the_others(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.delay_s = 1.0
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    protocol = make_protocol(
        **{
            ANNA: f"tz: Europe/Madrid, channels: [{_hook(receiver)}]",
            "notify: [social_manager]": "notify: [everyone]",
        }
    )
    detect(sessions, {brand_id: protocol}, clock=clock)

    with ThreadPoolExecutor(1) as pool:
        delivering = pool.submit(deliver_notifications, sessions, clock=clock)
        while not delivering.done():
            statuses = {contact: status for contact, _, status in _outbox(sessions)}
            if statuses["ben"] is statuses["dora"] is DeliveryStatus.SENT:
                break
        assert statuses["anna"] is not DeliveryStatus.SENT
        assert delivering.result() == 3


def test_a_secret_that_is_missing_is_a_dead_letter_with_its_name(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock, anna="{kind: sms, to: env:ANNA_SMS_MISSING}")

    deliver_notifications(sessions, clock=clock)

    with sessions() as session:
        row = session.scalars(select(Notification).order_by(Notification.id)).first()
        assert row is not None
        assert row.status is DeliveryStatus.DEAD
        assert "ANNA_SMS_MISSING" in (row.last_error or "")
    assert "delivery_failed" in _kinds(sessions, incident_id)


def test_a_message_says_the_claim_the_playbook_and_a_link_that_acknowledges(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 25)
    playbook = "\nplaybooks:\n  unknown: {strategy: holding, tasks: [verify_facts]}\n"
    rotation = "\non_call:\n  night: {tz: UTC, members: [ben, dora], start: 2026-03-09}\n"
    protocol = make_protocol(
        PROTOCOL + playbook + rotation,
        **{
            ANNA: f"tz: Europe/Madrid, channels: [{_hook(receiver)}]",
            "[deputy(social_manager)]": "[on_call(night)]",
        },
    )
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)

    deliver_notifications(sessions, clock=clock, public_url="https://c.example/", key="k" * 32)

    message = json.loads(receiver.requests[0][1])
    body, data = message["body"], message["data"]
    assert "Claim: unknown." in body
    assert f"Playbook: unknown, https://c.example/incidents/{incident_id}#playbook" in body
    assert f"Acknowledge within 15m: {data['acknowledge_url']}\n" in body
    assert data["acknowledge_url"].startswith("https://c.example/a/")
    assert f"Incident: https://c.example/incidents/{incident_id}\n" in body
    assert "If nobody does: on_call(night): ben at 2026-03-10 13:05 CET." in body
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
        resolve(session, incident_id, by="a@b.c", reason="over", clock=clock)
    deliver_notifications(sessions, clock=clock, public_url="https://c.example/", key="k" * 32)
    assert json.loads(receiver.requests[1][1])["data"]["acknowledge_url"] is None
