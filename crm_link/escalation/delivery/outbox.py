"""What every change of an incident writes with it: its timeline, and messages in the outbox.

All functions are inside the transaction that changes the incident, so that there is never an
incident that nobody is told about, nor a message about something that did not happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.bulk import insert_new
from crm_link.escalation.duty.hours import may_be_told_at
from crm_link.escalation.models import Incident, IncidentEvent, Notification, ProtocolVersion
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact
from crm_link.escalation.protocol_parts.file import parse_pinned
from crm_link.models import DeliveryStatus

#: Who acts where no person does.
MACHINE = "groundswell"

#: Reasons of messages that ask people for work, which no acknowledgement does for them.
ASKING = ("approval", "overdue")

#: Messages that have not left for good.
UNSENT = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)

#: Messages that reached a person or still may.
TELLING = (*UNSENT, DeliveryStatus.SENT)

#: News that a silenced or inhibited incident keeps for itself.
_HELD_BACK = frozenset({"again", "severity", "reopened"})


def pinned_protocol(session: Session, incident: Incident) -> EscalationProtocol:
    """Return the protocol that the incident began with."""
    version = session.get_one(ProtocolVersion, incident.protocol_version_id)
    return parse_pinned(version.content)


def add_event(
    session: Session, incident_id: int, kind: str, actor: str, at: datetime, detail: dict[str, Any]
) -> None:
    """Add one entry to an incident's timeline."""
    session.add(
        IncidentEvent(incident_id=incident_id, at=at, actor=actor, kind=kind, detail=detail)
    )


def tell(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    people: Iterable[tuple[ProtocolContact, str]],
    *,
    reason: str,
    tag: str,
    about: str = "",
    now: datetime,
) -> list[str]:
    """Queue one message for each person; return the ids of the contacts.

    Args:
        session: The transaction.
        incident: What it is about.
        protocol: The incident's pinned protocol.
        people: Contacts, and the role that each is told in.
        reason: Why: step, severity, again, reopened, last_resort, test or resolved. What tells
            of growth does not leave while the incident is silenced or inhibited.
        tag: Makes the message unique within the incident's round: a second one with the same
            tag to the same person is the same message, and is not queued again.
        about: What the message begins with, where its reason does not say all.
        now: The present.

    """
    if incident.suppressed_by is not None and reason in _HELD_BACK:
        return []
    severity = protocol.find_severity(incident.severity)
    respects = severity is not None and severity.respects_quiet_hours
    rows = [
        {
            "incident_id": incident.id,
            "idempotency_key": f"{incident.id}:{incident.round}:{tag}:{contact.id}:0",
            "contact": contact.id,
            "role": role,
            "channel": contact.channels[0].kind,
            "channel_index": 0,
            "reason": reason,
            "payload": {
                "severity": incident.severity,
                "tag": tag,
                "round": incident.round,
                "about": about,
            },
            "status": DeliveryStatus.PENDING,
            "next_attempt_at": (may_be_told_at(contact, now) if respects else now),
            "created_at": now,
        }
        for contact, role in people
    ]
    session.flush()
    insert_new(session, Notification, rows, key=("idempotency_key",))
    return [str(row["contact"]) for row in rows]


def told_so_far(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    statuses: Sequence[DeliveryStatus] = TELLING,
) -> list[tuple[ProtocolContact, str]]:
    """Return who has been told of the incident, in the order in which they were."""
    rows = session.execute(
        select(Notification.contact, Notification.role)
        .where(Notification.incident_id == incident.id, Notification.status.in_(statuses))
        .order_by(Notification.id)
    )
    people: dict[str, tuple[ProtocolContact, str]] = {}
    for contact_id, role in rows:
        contact = protocol.find_contact(contact_id)
        if contact is not None:
            people.setdefault(contact_id, (contact, role))
    return list(people.values())


def cancel_unsent(
    session: Session,
    incident_id: int,
    *,
    contact: str | None = None,
    keep: Sequence[str] = (),
) -> None:
    """Take back what has not left, of all or of one contact: somebody acknowledged.

    Messages for the reasons in `keep` leave nevertheless.
    """
    mine = () if contact is None else (Notification.contact == contact,)
    session.execute(
        update(Notification)
        .where(
            Notification.incident_id == incident_id,
            Notification.status.in_(UNSENT),
            Notification.reason.not_in(keep),
            *mine,
        )
        .values(status=DeliveryStatus.CANCELLED, lease_until=None)
    )
