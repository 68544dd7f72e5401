"""The test button: a marked message to people, over the real way and every one of their channels.

It is an incident of its own kind that is in no list of open ones and no statistics; who gets
the message acknowledges it, and the timeline shows who did and what failed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import InputError
from config.phrases import phrase
from crm_link.escalation.delivery.outbox import add_event
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import TEST, Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.models import DeliveryStatus


def send_test(
    session: Session,
    protocol: EscalationProtocol,
    *,
    brand_id: int,
    contacts: Sequence[str] = (),
    by: str,
    clock: Clock,
) -> Incident:
    """Queue a test message for contacts over each of their channels, whatever the hour.

    Args:
        session: The transaction.
        protocol: The brand's protocol in force.
        brand_id: The brand.
        contacts: Ids of contacts; empty: all of them.
        by: Who tests.
        clock: The present.

    Raises:
        InputError: There is no such contact.

    """
    known = {contact.id: contact for contact in protocol.contacts}
    unknown = [one for one in contacts if one not in known]
    if unknown:
        raise InputError(
            "there is no contact '%(unknown)s'; known: %(known)s",
            unknown=unknown[0],
            known=", ".join(known),
        )
    now = clock()
    incident = Incident(
        brand_id=brand_id,
        protocol_version_id=pin_protocol(session, brand_id, protocol, now),
        topic="!test",
        open_key=None,
        title=phrase("Test of the alerts"),
        status=IncidentStatus.OPEN,
        severity=protocol.severity[-1].level,
        opened_at=now,
        last_seen_at=now,
        facts={"lines": [], "since": now.isoformat(), "top_posts": []},
        peak={},
        next_due_at=None,
        kind=TEST,
    )
    session.add(incident)
    session.flush()
    people = [known[one] for one in contacts] or list(protocol.contacts)
    for contact in people:
        for number, channel in enumerate(contact.channels):
            session.add(
                Notification(
                    incident_id=incident.id,
                    idempotency_key=f"{incident.id}:0:test{number}:{contact.id}:{number}",
                    contact=contact.id,
                    role=contact.role,
                    channel=channel.kind,
                    channel_index=number,
                    reason="test",
                    payload={"severity": incident.severity, "tag": "test", "round": 0},
                    status=DeliveryStatus.PENDING,
                    next_attempt_at=now,
                    created_at=now,
                )
            )
    told = ", ".join(contact.id for contact in people)
    detail = {"reason": phrase("Test sent to %(people)s.", people=told)}
    add_event(session, incident.id, "test", by, now, detail)
    session.flush()
    return incident
