from __future__ import annotations

import json

import pytest
import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import acknowledge, resolve
from crm_link.escalation.notify import deliver_notifications
from crm_link.models import DeliveryStatus
from listener.models import Mention
from tests.crm_link.escalation.messaging import ANNA, hook_to, open_incident, outbox_of
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


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


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
    protocol = make_protocol(**{ANNA: f"tz: Europe/Madrid, channels: [{hook_to(receiver)}]"})
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)

    sent = deliver_notifications(sessions, clock=clock, public_url="https://console.example/")
    again = deliver_notifications(sessions, clock=clock)

    assert (sent, again, len(receiver.requests)) == (1, 0, 1)
    message = json.loads(receiver.requests[0][1])
    assert message["title"] == "[SEV-2] Negative mentions of Acme"
    assert message["body"].startswith(
        "25 negative mentions of Acme in 1h, since 12:50 CET.\nOn x 25.\n"
    )
    assert "- “My phone battery is on fire, and nobody answers. Really." in message["body"]
    assert "…” (x, 120,000 followers) https://x.example/widest" in message["body"]
    assert (
        f"Acknowledge within 15m: https://console.example/incidents/{incident_id}"
        in message["body"]
    )
    assert "If nobody does: deputy(social_manager) at 13:05 CET." in message["body"]
    assert message["data"]["top_posts"][0]["url"] == "https://x.example/widest"
    assert message["data"]["next"]["at"] == "2026-03-10T12:05:00+00:00"
    assert outbox_of(sessions) == [("anna", "webhook", DeliveryStatus.SENT)]


def test_a_deleted_post_is_quoted_no_more(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    open_incident(sessions, clock, anna=hook_to(receiver))
    with sessions.begin() as session:
        session.execute(update(Mention).values(deleted_at=clock()))

    deliver_notifications(sessions, clock=clock)

    assert "post 1" not in receiver.requests[0][1].decode()


def test_logs_hold_no_texts(sessions: sessionmaker[Session], clock: MovableClock) -> None:
    with structlog.testing.capture_logs() as lines:
        open_incident(sessions, clock)
        deliver_notifications(sessions, clock=clock)

    assert any(line["event"] == "alert" for line in lines)
    assert "of a burst" not in str(lines)


def test_acknowledging_takes_back_a_message_that_waits_for_its_next_attempt(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((503, {}))
    incident_id = open_incident(sessions, clock, anna=hook_to(receiver))
    deliver_notifications(sessions, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
    clock.forward(hours=1)

    assert deliver_notifications(sessions, clock=clock) == 0
    assert len(receiver.requests) == 1


def test_who_got_the_alert_is_told_of_its_end(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    incident_id = open_incident(sessions, clock, anna=hook_to(receiver))
    deliver_notifications(sessions, clock=clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="a test of ours", clock=clock)

    assert deliver_notifications(sessions, clock=clock) == 1

    message = json.loads(receiver.requests[-1][1])
    assert message["title"].startswith("RESOLVED: [SEV-2]")
    assert "Resolved by a@b.c: a test of ours" in message["body"]


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
            ANNA: f"tz: Europe/Madrid, channels: [{hook_to(receiver)}]",
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
    assert "If nobody does: on_call(night): ben at 13:05 CET." in body
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
        resolve(session, incident_id, by="a@b.c", reason="over", clock=clock)
    deliver_notifications(sessions, clock=clock, public_url="https://c.example/", key="k" * 32)
    assert json.loads(receiver.requests[1][1])["data"]["acknowledge_url"] is None
