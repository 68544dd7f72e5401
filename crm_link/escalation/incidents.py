"""What people do with incidents: acknowledge, note, escalate, resolve.

open -> acknowledged -> resolved; an acknowledgement that expires, and a manual escalation,
open it again. Every change is in the timeline with who and when. What the state does not
allow is refused with ConflictError. All functions lock the incident, so that of two people
who acknowledge at once one is told that the other was first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.chain import advance, resume
from crm_link.escalation.closing import close
from crm_link.escalation.delivery import acks
from crm_link.escalation.delivery.outbox import (
    ASKING,
    add_event,
    cancel_unsent,
    pinned_protocol,
)
from crm_link.escalation.detection.severity_changes import change_severity
from crm_link.escalation.locking import lock_incident, lock_unresolved
from crm_link.escalation.models import (
    DRILL,
    TEST,
    Incident,
    IncidentEvent,
    IncidentStatus,
    Notification,
)
from crm_link.escalation.playbook.assessment import begin_unassessed
from crm_link.escalation.signs_of_work import expiry, show_work

#: Longer notes belong into a document.
MAX_NOTE_CHARS = 10_000


def get_incident(session: Session, incident_id: int) -> Incident:
    """Return an incident with its brand.

    Raises:
        NotFoundError: There is none with this id.

    """
    incident = session.scalar(
        select(Incident).where(Incident.id == incident_id).options(joinedload(Incident.brand))
    )
    if incident is None:
        raise NotFoundError("there is no incident %(incident_id)s", incident_id=incident_id)
    return incident


def list_incidents(
    session: Session,
    *,
    brand_id: int | None = None,
    statuses: Sequence[IncidentStatus] = (),
    before_id: int | None = None,
    limit: int = 50,
    with_drills: bool = False,
) -> list[Incident]:
    """Return incidents with their brands, newest first; `before_id` is the last one seen.

    Of drills only those that run are among them, and no test messages, unless `with_drills` asks
    for all.
    """
    query = select(Incident).options(joinedload(Incident.brand)).order_by(Incident.id.desc())
    if brand_id is not None:
        query = query.where(Incident.brand_id == brand_id)
    if statuses:
        query = query.where(Incident.status.in_(statuses))
    if before_id is not None:
        query = query.where(Incident.id < before_id)
    if not with_drills:
        is_real = Incident.kind.not_in((DRILL, TEST))
        query = query.where(is_real | Incident.open_key.is_not(None))
    return list(session.scalars(query.limit(limit)))


def list_events(
    session: Session, incident_id: int, *, latest: int | None = None
) -> list[IncidentEvent]:
    """Return an incident's timeline, oldest first; if asked for, its `latest` entries only."""
    query = select(IncidentEvent).where(IncidentEvent.incident_id == incident_id)
    newest_first = query.order_by(IncidentEvent.id.desc()).limit(latest)
    return list(session.scalars(newest_first))[::-1]


def count_events(session: Session, incident_id: int) -> int:
    """Return how many entries an incident's timeline has."""
    query = select(func.count()).where(IncidentEvent.incident_id == incident_id)
    return session.scalar(query) or 0


def list_notifications(session: Session, incident_id: int) -> list[Notification]:
    """Return who was told of an incident, oldest first."""
    return list(
        session.scalars(
            select(Notification)
            .where(Notification.incident_id == incident_id)
            .order_by(Notification.id)
        )
    )


def acknowledge(
    session: Session, incident_id: int, *, by: str, contact: str | None = None, clock: Clock
) -> Incident:
    """Take an incident on: the chain stops, and messages that have not left are taken back.

    Where the chain's step asks all of its people, the chain stops when the last of them has.

    Args:
        session: The transaction.
        incident_id: The incident.
        by: Who, as the timeline says it.
        contact: Who that is in the protocol, where it is known.
        clock: The present.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is not open.

    """
    incident = lock_incident(session, incident_id)
    if incident.status is not IncidentStatus.OPEN:
        if incident.acknowledged_by:
            raise ConflictError(
                "incident %(incident_id)s is already %(status)s by %(who)s",
                incident_id=incident_id,
                status=incident.status,
                who=incident.acknowledged_by,
            )
        raise ConflictError(
            "incident %(incident_id)s is already %(status)s",
            incident_id=incident_id,
            status=incident.status,
        )
    now = clock()
    protocol = pinned_protocol(session, incident)
    missing = acks.record(session, incident, protocol, by=by, contact=contact, now=now)
    if missing:
        contact = contact or acks.find_contact_id(protocol, by)
        if contact is not None:
            cancel_unsent(session, incident_id, contact=contact)
        add_event(session, incident_id, "acknowledged_one", by, now, {"missing": missing})
        session.flush()
        return incident
    incident.status = IncidentStatus.ACKNOWLEDGED
    incident.acknowledged_at = now
    incident.acknowledged_by = by
    incident.next_due_at = expiry(protocol, incident.severity, now)
    cancel_unsent(session, incident_id, keep=ASKING)
    add_event(session, incident_id, "acknowledged", by, now, {})
    begin_unassessed(session, incident, protocol, now)
    session.flush()
    return incident


def add_note(
    session: Session,
    incident_id: int,
    *,
    text: str,
    by: str,
    clock: Clock,
    is_decision: bool = False,
) -> Incident:
    """Write into the timeline, a decision as such; it shows that the incident is worked on.

    Raises:
        NotFoundError: There is no such incident.
        InputError: The note is empty or too long.

    """
    note = text.strip()
    if not note or len(note) > MAX_NOTE_CHARS:
        raise InputError(
            "a note has 1 to %(max_note_chars)s characters", max_note_chars=f"{MAX_NOTE_CHARS:,}"
        )
    incident = lock_incident(session, incident_id)
    now = clock()
    kind = "decision" if is_decision else "note"
    add_event(session, incident_id, kind, by, now, {"text": note})
    show_work(incident, pinned_protocol(session, incident), now)
    session.flush()
    return incident


def escalate_now(
    session: Session, incident_id: int, *, by: str, reason: str = "", clock: Clock
) -> Incident:
    """Take the chain's next step at once; an acknowledged incident is open again.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved.

    """
    incident = lock_unresolved(session, incident_id)
    now = clock()
    protocol = pinned_protocol(session, incident)
    add_event(session, incident_id, "escalated", by, now, {"reason": reason.strip()})
    resume(incident, protocol, now)
    advance(session, incident, protocol, now)
    session.flush()
    return incident


def set_severity(
    session: Session, incident_id: int, *, severity: str, by: str, reason: str = "", clock: Clock
) -> Incident:
    """Make an incident more or less severe by hand; an acknowledgement stays.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved, or has this severity.
        InputError: Its protocol has no such severity.

    """
    incident = lock_unresolved(session, incident_id)
    protocol = pinned_protocol(session, incident)
    if protocol.find_severity(severity) is None:
        known = ", ".join(one.level for one in protocol.severity)
        raise InputError(
            "incident %(incident_id)s's protocol has no severity '%(severity)s'; known: %(known)s",
            incident_id=incident_id,
            severity=severity,
            known=known,
        )
    if incident.severity == severity:
        raise ConflictError(
            "incident %(incident_id)s is %(severity)s already",
            incident_id=incident_id,
            severity=severity,
        )
    change_severity(
        session, incident, protocol, severity, by=by, reason=reason.strip(), now=clock()
    )
    session.flush()
    return incident


def resolve(session: Session, incident_id: int, *, by: str, reason: str, clock: Clock) -> Incident:
    """Close an incident: unsent messages are taken back, who got the alert is told.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved already.
        InputError: There is no reason.

    """
    incident = lock_unresolved(session, incident_id)
    if not reason.strip():
        raise InputError(
            "say why incident %(incident_id)s is resolved: the reason is part of its timeline",
            incident_id=incident_id,
        )
    close(session, incident, by=by, reason=reason, now=clock())
    return incident
