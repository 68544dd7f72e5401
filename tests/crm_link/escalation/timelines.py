"""What incidents recorded and told, as tests look at it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.incidents import list_events
from crm_link.escalation.models import Incident, Notification
from crm_link.models import DeliveryStatus


def get_incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def told_of(sessions: sessionmaker[Session]) -> list[tuple[str, str]]:
    with sessions() as session:
        rows = session.execute(
            select(Notification.contact, Notification.reason)
            .where(Notification.status != DeliveryStatus.CANCELLED)
            .order_by(Notification.id)
        )
        return [(contact, reason) for contact, reason in rows]


def kinds_of(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]
