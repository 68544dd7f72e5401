"""How long an acknowledgement holds: every sign of work makes it hold anew."""

from __future__ import annotations

from datetime import datetime

from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.protocol import EscalationProtocol


def expiry(protocol: EscalationProtocol, level: str, now: datetime) -> datetime | None:
    """Return when an acknowledgement given or renewed now expires; None: never."""
    severity = protocol.find_severity(level)
    if severity is None or severity.ack_expires is None:
        return None
    return now + severity.ack_expires


def show_work(incident: Incident, protocol: EscalationProtocol, now: datetime) -> None:
    """Let an acknowledgement hold anew: somebody has just done something."""
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        incident.next_due_at = expiry(protocol, incident.severity, now)
