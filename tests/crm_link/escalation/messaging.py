"""An incident with its first messages, for the tests of what leaves."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.models import BURST, Incident, Notification
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import (
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"


BEN = "tz: Europe/London, channels: [{kind: log}]"


def open_incident(
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


def outbox_of(sessions: sessionmaker[Session]) -> list[tuple[str, str, DeliveryStatus]]:
    with sessions() as session:
        rows = session.scalars(
            select(Notification)
            .join(Incident, Incident.id == Notification.incident_id)
            .where(Incident.kind == BURST)
            .order_by(Notification.id)
        )
        return [(row.contact, row.channel, row.status) for row in rows]


def hook_to(receiver: Receiver) -> str:
    return f'{{kind: webhook, to: "{receiver.url}"}}'
