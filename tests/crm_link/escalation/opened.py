"""An incident that a burst opened, and what its chain of escalation did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import list_events
from crm_link.escalation.models import Incident, Notification
from crm_link.models import DeliveryStatus
from tests.crm_link.making import MovableClock, make_brand, make_burst, make_protocol


def open_incident(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    count: int = 12,
    words: Mapping[str, str] | None = None,
    *,
    key: str = "acme",
) -> int:
    """Let so many negative posts about a new brand open an incident."""
    brand_id = make_brand(sessions, key=key)
    make_burst(sessions, brand_id, count, published_at=clock() - timedelta(minutes=1))
    (incident_id,) = detect(sessions, {brand_id: make_protocol(**(words or {}))}, clock=clock)
    return incident_id


def get_incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def told(sessions: sessionmaker[Session]) -> list[str]:
    """Return who was told, or is about to be, in order."""
    with sessions() as session:
        return list(
            session.scalars(
                select(Notification.contact)
                .where(Notification.status != DeliveryStatus.CANCELLED)
                .order_by(Notification.id)
            )
        )


def kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    """Return the kinds of an incident's events, in order."""
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]
