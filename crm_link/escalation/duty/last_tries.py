"""How the last message to each person ended."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_link.escalation.models import DRILL, Incident, Notification
from crm_link.models import DeliveryStatus


def last_tries(session: Session, brand_id: int) -> dict[tuple[str, str], DeliveryStatus]:
    """Return how the last message to each person over their first channel ended.

    The keys are the contact's id in the protocol and the kind of channel; drills do not count.
    """
    newest = (
        select(func.max(Notification.id))
        .join(Incident, Incident.id == Notification.incident_id)
        .where(
            Incident.brand_id == brand_id,
            Incident.kind != DRILL,
            Notification.channel_index == 0,
            Notification.status.in_((DeliveryStatus.SENT, DeliveryStatus.DEAD)),
        )
        .group_by(Notification.contact, Notification.channel)
    )
    rows = session.execute(
        select(Notification.contact, Notification.channel, Notification.status).where(
            Notification.id.in_(newest)
        )
    )
    return {(row.contact, row.channel): row.status for row in rows}
