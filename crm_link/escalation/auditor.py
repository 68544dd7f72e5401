"""The escalation auditor: finds open incidents whose chain has stopped, mends and tells it.

The chain is looked at every second. A step that is overdue by a minute all the same means that
something is wrong: an incident's protocol cannot be read any more, a clock was set back, a bug.
Each is mended on the spot, written into the timeline, and told to people as an incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock
from config.db import read_session
from config.errors import AppError
from config.logs import get_logger, place_of
from config.phrases import phrase
from crm_link.escalation import chain
from crm_link.escalation.delivery.outbox import MACHINE, UNSENT, add_event, pinned_protocol
from crm_link.escalation.detection.operations import OVERDUE, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.models import (
    BURST,
    DRILL,
    OPERATIONS,
    Incident,
    IncidentEvent,
    IncidentStatus,
    Notification,
)
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.models import DeliveryStatus

log = get_logger(__name__)

#: A step that is due for longer than this is overdue: the chain looks every second.
OVERDUE_AFTER = timedelta(seconds=60)

#: Incidents that one call mends; the next one takes the rest.
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident that was mended, and what was wrong with it."""

    incident_id: int
    brand_id: int
    words: str


def audit(
    sessions: sessionmaker[Session],
    protocols: Mapping[int, EscalationProtocol],
    *,
    clock: Clock,
) -> list[Finding]:
    """Mend what has stopped; return what was found.

    Args:
        sessions: Factory of sessions.
        protocols: The protocol in force of each brand: it serves where an incident's own cannot
            be read any more.
        clock: The present.

    """
    now = clock()
    _free_future_messages(sessions, now)
    with read_session(sessions) as session:
        found = _overdue(session, now) + _ahead(session, now) + _forgotten(session)
    mended = []
    for one in found[:MOST_AT_ONCE]:
        try:
            with sessions.begin() as session:
                words = _mend(session, one, protocols.get(one.brand_id), now)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be mended must not hold up the others
            kind = type(error).__name__
            log.error("not mended", incident_id=one.incident_id, kind=kind, at=place_of(error))
            if one.brand_id in protocols:
                _tell_broken(sessions, one, protocols[one.brand_id], now)
            continue
        if words:
            log.error("chain mended", incident_id=one.incident_id, why=one.words)
            mended.append(Finding(one.incident_id, one.brand_id, words))
    return mended


def _overdue(session: Session, now: datetime) -> list[Finding]:
    rows = session.execute(
        select(Incident.id, Incident.brand_id)
        .where(Incident.next_due_at < now - OVERDUE_AFTER)
        .order_by(Incident.next_due_at)
        .limit(MOST_AT_ONCE)
    )
    return [Finding(*row, phrase("a step was overdue")) for row in rows]


def _ahead(session: Session, now: datetime) -> list[Finding]:
    """Return open incidents whose last entry is in the future: the clock was set back."""
    later = exists().where(
        IncidentEvent.incident_id == Incident.id, IncidentEvent.at > now + OVERDUE_AFTER
    )
    rows = session.execute(
        select(Incident.id, Incident.brand_id)
        .where(
            Incident.open_key.is_not(None),
            Incident.next_due_at > now + OVERDUE_AFTER,
            Incident.last_seen_at > now - timedelta(days=1),
            Incident.suppressed_by.is_(None),
            later,
        )
        .limit(MOST_AT_ONCE)
    )
    return [Finding(*row, phrase("the clock was set back")) for row in rows]


def _forgotten(session: Session) -> list[Finding]:
    """Return open incidents of which nothing is due though everyone was never told."""
    last_resort = exists().where(
        IncidentEvent.incident_id == Incident.id, IncidentEvent.kind == "last_resort"
    )
    rows = session.execute(
        select(Incident.id, Incident.brand_id)
        .where(
            Incident.open_key.is_not(None),
            Incident.status == IncidentStatus.OPEN,
            Incident.kind.in_([BURST, DRILL, OPERATIONS]),
            Incident.next_due_at.is_(None),
            ~last_resort,
        )
        .limit(MOST_AT_ONCE)
    )
    return [Finding(*row, phrase("no step was due any more")) for row in rows]


def _mend(
    session: Session, found: Finding, in_force: EscalationProtocol | None, now: datetime
) -> str:
    """Mend one incident and tell people; return what was wrong, empty: nothing any more."""
    incident = session.scalar(
        select(Incident)
        .where(Incident.id == found.incident_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if incident is None or not _is_still_wrong(session, incident, now):
        return ""  # somebody is at it, or was faster
    words = found.words
    try:
        protocol = pinned_protocol(session, incident)
    except AppError:
        if in_force is None:
            raise
        incident.protocol_version_id = pin_protocol(session, incident.brand_id, in_force, now)
        protocol = in_force
        words = phrase("its protocol could not be read any more; the one in force takes its place")
    last_at = _last_entry_at(session, incident.id)
    add_event(session, incident.id, "mended", MACHINE, now, {"reason": words})
    if incident.next_due_at is not None and last_at is not None and last_at > now:
        # The same wait, from now on.
        incident.next_due_at = now + max(incident.next_due_at - last_at, timedelta())
    else:
        incident.next_due_at = now
    if incident.status is IncidentStatus.OPEN:
        chain.advance(session, incident, protocol, now)
    _tell(session, incident, words, now)
    return words


def _is_still_wrong(session: Session, incident: Incident, now: datetime) -> bool:
    due = incident.next_due_at
    if due is None:
        return incident.status is IncidentStatus.OPEN
    last_at = _last_entry_at(session, incident.id)
    return due < now - OVERDUE_AFTER or (last_at is not None and last_at > now + OVERDUE_AFTER)


def _last_entry_at(session: Session, incident_id: int) -> datetime | None:
    return session.scalar(
        select(IncidentEvent.at)
        .where(IncidentEvent.incident_id == incident_id)
        .order_by(IncidentEvent.id.desc())
        .limit(1)
    )


def _tell(session: Session, incident: Incident, words: str, now: datetime) -> None:
    """Let people know, unless it is such an incident itself that was mended."""
    if incident.kind != BURST:
        return
    raise_operation(
        session,
        incident.brand_id,
        incident.protocol_version_id,
        topic=OVERDUE,
        title=phrase("An escalation had stopped and was mended"),
        lines=[
            phrase(
                "Incident %(incident)s: %(what)s. Its chain goes on; look at the engine's log.",
                incident=incident.id,
                what=words,
            )
        ],
        now=now,
    )


def _tell_broken(
    sessions: sessionmaker[Session], found: Finding, in_force: EscalationProtocol, now: datetime
) -> None:
    with sessions.begin() as session:
        raise_operation(
            session,
            found.brand_id,
            pin_protocol(session, found.brand_id, in_force, now),
            topic=OVERDUE,
            title=phrase("An escalation has stopped and could not be mended"),
            lines=[
                phrase(
                    "Incident %(incident)s: nobody is told any more. Look after it now.",
                    incident=found.incident_id,
                )
            ],
            now=now,
        )


def _free_future_messages(sessions: sessionmaker[Session], now: datetime) -> None:
    """Let messages leave that a clock which was set back holds: they were made in the future."""
    held = and_(
        Notification.status.in_(UNSENT),
        Notification.created_at > now + OVERDUE_AFTER,
        Notification.next_attempt_at > now,
        or_(Notification.status == DeliveryStatus.PENDING, Notification.lease_until > now),
    )
    with read_session(sessions) as session:
        ids = session.scalars(select(Notification.id).where(held).limit(MOST_AT_ONCE)).all()
    if not ids:
        return
    with sessions.begin() as session:
        session.execute(
            update(Notification)
            .where(Notification.id.in_(ids), held)
            .values(next_attempt_at=now, created_at=now)
        )
    log.error("messages from the future freed: the clock was set back", count=len(ids))
