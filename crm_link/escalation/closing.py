"""Closing an incident, whoever does it: nothing more leaves, and who knew of it learns so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_link.enrich import queue_incident_enrichment
from crm_link.escalation.delivery.outbox import (
    add_event,
    cancel_unsent,
    pinned_protocol,
    tell,
    told_so_far,
)
from crm_link.escalation.models import BURST, Incident, IncidentStatus
from crm_link.escalation.playbook.clocks import stop_clocks
from crm_link.escalation.playbook.withdrawals import withdraw_all
from crm_link.figures.author_numbers import INCIDENT_LOOKBACK
from crm_link.models import DeliveryStatus


def close(session: Session, incident: Incident, *, by: str, reason: str, now: datetime) -> None:
    """Close an incident: unsent messages are taken back, who got the alert is told.

    Told are only those whom a message reached or is just reaching, also where the incident was
    silenced since, and nobody else.
    """
    protocol = pinned_protocol(session, incident)
    # A message that is being sent right now arrives too.
    reached = (DeliveryStatus.SENT, DeliveryStatus.SENDING)
    people = told_so_far(session, incident, protocol, reached)
    cancel_unsent(session, incident.id)
    incident.status = IncidentStatus.RESOLVED
    incident.resolved_at = now
    incident.resolved_by = by
    incident.open_key = None
    incident.next_due_at = None
    incident.suppressed_by = None
    stop_clocks(session, incident.id, now)
    withdraw_all(session, incident.id, by=by, now=now)
    tell(session, incident, protocol, people, reason="resolved", tag="resolved", now=now)
    add_event(session, incident.id, "resolved", by, now, {"reason": reason.strip()})
    session.flush()
    if incident.kind == BURST:
        since = incident.opened_at - INCIDENT_LOOKBACK
        queue_incident_enrichment(session, incident.brand_id, incident.topic, since=since, now=now)
