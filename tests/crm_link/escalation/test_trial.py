"""Test messages: over the real way and every channel of a contact, and nobody is alarmed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.delivery.trial import send_test
from crm_link.escalation.incidents import acknowledge, list_events
from crm_link.escalation.models import (
    OPERATIONS,
    TEST,
    Incident,
    IncidentStatus,
    Notification,
)
from crm_link.escalation.notify import deliver_notifications
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import MovableClock, make_brand, make_protocol

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def test_a_test_goes_over_every_channel_and_is_no_open_incident(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    brand_id = make_brand(sessions)
    hook = f'{{kind: webhook, to: "{receiver.url}"}}'
    protocol = make_protocol(**{ANNA: f"tz: Europe/Madrid, channels: [{hook}, {hook}]"})
    with sessions.begin() as session:
        test_id = send_test(
            session, protocol, brand_id=brand_id, contacts=["anna"], by="a@b.c", clock=clock
        ).id
    assert deliver_notifications(sessions, clock=clock) == 2

    messages = [json.loads(body) for _, body in receiver.requests]
    assert [message["title"] for message in messages] == ["TEST: [SEV-3] Test of the alerts"] * 2
    assert "nothing has happened" in messages[0]["body"]
    assert messages[0]["data"]["kind"] == TEST
    with sessions.begin() as session:
        acknowledge(session, test_id, by="anna", clock=clock)
    clock.forward(days=2)
    run_due_steps(sessions, clock=clock)
    with sessions() as session:
        incident = session.get_one(Incident, test_id)
        kinds = [event.kind for event in list_events(session, test_id)]
    assert (incident.open_key, incident.status) == (None, IncidentStatus.ACKNOWLEDGED)
    assert kinds == ["test", "acknowledged"]
    with sessions.begin() as session, pytest.raises(InputError, match="no contact 'zoe'"):
        send_test(session, protocol, brand_id=brand_id, contacts=["zoe"], by="a@b.c", clock=clock)


def test_a_test_that_a_channel_refuses_shows_that_and_raises_no_alarm(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.append((404, {}))
    brand_id = make_brand(sessions)
    hook = f'{{kind: webhook, to: "{receiver.url}"}}'
    protocol = make_protocol(**{ANNA: f"tz: Europe/Madrid, channels: [{hook}, {{kind: log}}]"})
    with sessions.begin() as session:
        send_test(session, protocol, brand_id=brand_id, contacts=["anna"], by="a@b.c", clock=clock)

    deliver_notifications(sessions, clock=clock)

    with sessions() as session:
        statuses = list(session.scalars(select(Notification.status).order_by(Notification.id)))
    assert statuses == [DeliveryStatus.DEAD, DeliveryStatus.SENT]
    with sessions() as session:
        assert session.scalars(select(Incident).where(Incident.kind == OPERATIONS)).all() == []
