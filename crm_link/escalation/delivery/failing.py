"""What happens when a message could not be delivered: wait, another way, another person."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.logs import get_logger
from crm_link.escalation import chain
from crm_link.escalation.delivery.outbox import MACHINE, UNSENT, add_event, pinned_protocol
from crm_link.escalation.detection.operations import tell_dead_letter
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.rules import retry_wait_s
from crm_link.models import DeliveryStatus

log = get_logger(__name__)

#: Failed attempts after which another way to the person is tried.
MOST_ATTEMPTS = 4

#: How long the last way to a person is tried.
LAST_WAY_FOR = timedelta(hours=24)

#: What fits into the outbox's record of a failure.
MAX_ERROR_CHARS = 500


def record_failure(
    sessions: sessionmaker[Session],
    *,
    incident_id: int,
    ours: Sequence[ColumnElement[bool]],
    error: str,
    is_final: bool,
    retry_after_s: float | None,
    now: datetime,
) -> None:
    """Store a failed attempt, and see to it that somebody learns of the incident all the same.

    Args:
        sessions: Factory of sessions.
        incident_id: What the message was about; locked first, as everywhere.
        ours: The condition under which the row is still ours.
        error: What the channel said, without addresses.
        is_final: Whether the channel refused for good.
        retry_after_s: What the other side asked to wait.
        now: The present.

    """
    with sessions.begin() as session:
        incident = session.scalars(
            select(Incident).where(Incident.id == incident_id).with_for_update()
        ).one()
        row = session.scalar(select(Notification).where(*ours).with_for_update())
        if row is None:
            return  # taken back, or its lease was over and another has it
        protocol = pinned_protocol(session, incident)
        contact = protocol.find_contact(row.contact)
        has_other_way = contact is not None and row.channel_index + 1 < len(contact.channels)
        is_stuck = row.attempts >= MOST_ATTEMPTS
        is_test = row.reason == "test"
        is_too_late = has_other_way or is_test or now - row.created_at >= LAST_WAY_FOR
        row.lease_until = None
        row.last_error = error[:MAX_ERROR_CHARS]
        if is_final or (is_stuck and is_too_late):
            row.status = DeliveryStatus.DEAD
            _record(session, row, "delivery_failed", now)
            if has_other_way and not is_test:
                _try_next_channel(session, row, protocol, now)
            else:
                tell_dead_letter(session, incident, row, now)
        else:
            row.status = DeliveryStatus.PENDING
            wait_s = retry_wait_s(row.attempts, random.random(), retry_after_s)  # noqa: S311 - jitter
            row.next_attempt_at = now + timedelta(seconds=wait_s)
            if row.attempts == MOST_ATTEMPTS:
                _record(session, row, "delivery_delayed", now)
        session.flush()
        if not has_other_way and (is_final or row.attempts == MOST_ATTEMPTS):
            _hurry_chain(session, incident, protocol, row, now)


def _record(session: Session, row: Notification, kind: str, now: datetime) -> None:
    detail = {
        "contact": row.contact,
        "channel": row.channel,
        "attempts": row.attempts,
        "error": row.last_error,
    }
    add_event(session, row.incident_id, kind, MACHINE, now, detail)
    log.warning(
        "alert not delivered",
        notification_id=row.id,
        incident_id=row.incident_id,
        channel=row.channel,
        attempts=row.attempts,
        is_dead=row.status is DeliveryStatus.DEAD,
    )


def _try_next_channel(
    session: Session, row: Notification, protocol: EscalationProtocol, now: datetime
) -> None:
    contact = protocol.find_contact(row.contact)
    assert contact is not None
    number = row.channel_index + 1
    following = {
        "incident_id": row.incident_id,
        "idempotency_key": f"{_without_channel(row)}:{number}",
        "contact": row.contact,
        "role": row.role,
        "channel": contact.channels[number].kind,
        "channel_index": number,
        "reason": row.reason,
        "payload": row.payload,
        "status": DeliveryStatus.PENDING,
        "next_attempt_at": now,
        "created_at": now,
    }
    insert_new(session, Notification, [following], key=("idempotency_key",))


def _hurry_chain(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    row: Notification,
    now: datetime,
) -> None:
    """Take the next step at once, where nobody of this one can be reached."""
    if row.reason != "step" or incident.status is not IncidentStatus.OPEN:
        return
    if not chain.has_next_step(incident, protocol) or incident.next_due_at is None:
        return
    group = _without_channel(row).rsplit(":", 1)[0] + ":"
    others = exists().where(
        Notification.incident_id == incident.id,
        Notification.id != row.id,
        Notification.idempotency_key.startswith(group, autoescape=True),
        or_(
            Notification.status == DeliveryStatus.SENT,
            and_(Notification.status.in_(UNSENT), Notification.attempts < MOST_ATTEMPTS),
        ),
    )
    if session.scalar(select(others)):
        return
    incident.next_due_at = min(incident.next_due_at, now)
    add_event(session, incident.id, "unreachable", MACHINE, now, {"contact": row.contact})
    chain.advance(session, incident, protocol, now)


def _without_channel(row: Notification) -> str:
    """Return the idempotency key up to the contact: the same for all of their channels."""
    return row.idempotency_key.rsplit(":", 1)[0]
