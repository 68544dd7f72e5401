"""Making an incident more or less severe: who learns of it, and which clocks move."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_link.escalation.chain import ack_limit
from crm_link.escalation.delivery.outbox import (
    ASKING,
    MACHINE,
    add_event,
    cancel_unsent,
    tell,
    told_so_far,
)
from crm_link.escalation.duty import on_call
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.playbook.clocks import move_clocks
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.rules import is_worse
from crm_link.escalation.signs_of_work import expiry


def change_severity(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    level: str,
    *,
    by: str = MACHINE,
    reason: str = "",
    now: datetime,
) -> None:
    """Give an incident another severity: tell of a worse one, and move the clock.

    Those who were told, and those whom the chain's steps up to here would have told at this
    severity, learn of a worse one at once. The next step is due within the new severity's
    limit. An acknowledgement is kept; it may only expire sooner.
    """
    before, worse = incident.severity, is_worse(level, incident.severity)
    other_chain = protocol.chain_for(level) is not protocol.chain_for(before)
    add_event(
        session, incident.id, "severity", by, now, {"from": before, "to": level, "reason": reason}
    )
    people = dict.fromkeys(one.id for one, _ in told_so_far(session, incident, protocol))
    incident.severity = level
    move_clocks(session, incident, protocol, now)
    if not worse:
        return
    if incident.suppressed_by is not None:
        incident.next_due_at = now  # the chain looks whether it is still held back
        return
    taken = protocol.chain_for(level).steps[: 1 if other_chain else max(incident.step, 1)]
    words = [word for step in taken if step.is_for(level) for word in step.notify]
    called = on_call.people(session, protocol, incident.brand_id, words, now)
    roles = {one.id: role for one, role in called}
    everybody = [
        (contact, roles.get(contact.id, contact.role))
        for contact in protocol.contacts
        if contact.id in people or contact.id in roles
    ]
    cancel_unsent(session, incident.id, keep=ASKING)
    tag = f"to-{level}-{int(now.timestamp())}"
    tell(session, incident, protocol, everybody, reason="severity", tag=tag, now=now)
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        expires = expiry(protocol, level, now)
        due = [one for one in (incident.next_due_at, expires) if one is not None]
        incident.next_due_at = min(due, default=None)
        return
    limit = now + ack_limit(protocol, level)
    if other_chain or incident.next_due_at is None:
        incident.round += 1
        incident.first_round = incident.round
        # The first step's people have just been told.
        incident.step = 1
        incident.next_due_at = limit
    else:
        incident.next_due_at = min(incident.next_due_at, limit)
