"""By when something has to be said: the clocks of the holding statement and of the updates.

The holding statement's clock starts with the incident; the first statement that is published
stops it, and starts the clock of the updates, which each further statement starts anew. A
change of severity moves a running clock. `clocks_due` gives what is overdue, the playbook's
tasks too, for whoever reminds people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from config.clock import Clock
from config.phrases import phrase
from crm_link.escalation.delivery.acks import find_contact_id
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.duty import on_call
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident, IncidentStatus
from crm_link.escalation.playbook.playbook_models import ClockKind, IncidentClock, IncidentTask
from crm_link.escalation.protocol import EVERYONE, EscalationProtocol, ProtocolContact
from crm_link.escalation.signs_of_work import show_work

#: How long after a reminder the next one comes, while nobody has done it.
REMIND_EVERY = timedelta(minutes=15)

#: The kind of what is due where a task is.
TASK = "task"


@dataclass(frozen=True, slots=True)
class DueClock:
    """Something that is overdue, and whose it is.

    Args:
        kind: `holding_statement`, `update` or `task`.
        id: Of the clock or the task.
        incident_id: Where.
        due_at: Since when it is overdue.
        words: What has to be done, to be shown.
        owner: The task's own owner; empty where it has none.

    """

    kind: str
    id: int
    incident_id: int
    due_at: datetime
    words: str
    owner: str = ""


_WORDS = {
    ClockKind.HOLDING_STATEMENT: phrase("publish the holding statement"),
    ClockKind.UPDATE: phrase("publish the next update"),
}


def list_clocks(session: Session, incident_id: int) -> Sequence[IncidentClock]:
    """Return an incident's clocks in the order in which they started."""
    return session.scalars(
        select(IncidentClock)
        .where(IncidentClock.incident_id == incident_id)
        .order_by(IncidentClock.id)
    ).all()


def start_clocks(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Start what runs from the beginning: the holding statement's clock, else the updates'."""
    severity = protocol.find_severity(incident.severity)
    if severity is None:
        return
    if severity.holding_statement is not None:
        limit = severity.holding_statement
        _start(session, incident.id, ClockKind.HOLDING_STATEMENT, limit, now)
    elif severity.updates is not None:
        _start(session, incident.id, ClockKind.UPDATE, severity.updates, now)


def said(
    session: Session, incident: Incident, protocol: EscalationProtocol, *, by: str, now: datetime
) -> None:
    """Take note that something was said in public: running clocks stop, the updates' starts."""
    for clock in _running(session, incident.id):
        clock.stopped_at, clock.stopped_by = now, by
        clock.is_met = now <= clock.due_at
    severity = protocol.find_severity(incident.severity)
    if severity is not None and severity.updates is not None:
        _start(session, incident.id, ClockKind.UPDATE, severity.updates, now)


def say_elsewhere(
    session: Session, incident_id: int, *, where: str = "", by: str, clock: Clock
) -> Incident:
    """Take note that something was said that is none of the protocol's statements.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved.

    """
    incident = lock_unresolved(session, incident_id)
    protocol, now = pinned_protocol(session, incident), clock()
    add_event(session, incident_id, "said", by, now, {"reason": where.strip()})
    said(session, incident, protocol, by=by, now=now)
    show_work(incident, protocol, now)
    session.flush()
    return incident


def move_clocks(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Give running clocks the limits of the incident's severity as it is now.

    A worse severity counts from the beginning, but nobody is late by it at once: at least a
    third of its limit is left. A clock that the severity does not have stops.
    """
    severity = protocol.find_severity(incident.severity)
    limits = {
        ClockKind.HOLDING_STATEMENT: severity.holding_statement if severity else None,
        ClockKind.UPDATE: severity.updates if severity else None,
    }
    running = _running(session, incident.id)
    for clock in running:
        limit = limits[clock.kind]
        if limit is None:
            clock.stopped_at = now
        elif clock.due_at > now:
            clock.due_at = max(clock.started_at + limit, now + limit / 3)
    ran = session.scalar(
        select(IncidentClock.id).where(IncidentClock.incident_id == incident.id).limit(1)
    )
    if not running and ran is None and incident.is_about_mentions:
        start_clocks(session, incident, protocol, now)


def stop_clocks(session: Session, incident_id: int, now: datetime) -> None:
    """Stop what runs: the incident is over."""
    for clock in _running(session, incident_id):
        clock.stopped_at = now


def clocks_due(
    session: Session, now: datetime, *, incident_id: int | None = None, limit: int = 200
) -> list[DueClock]:
    """Return what is overdue and nobody was reminded of lately, the longest overdue first.

    Whoever reminds people calls `mark_reminded` in the same transaction. Incidents that are
    resolved, silenced or inhibited are left out.
    """
    quiet = now - REMIND_EVERY
    running = (
        Incident.status != IncidentStatus.RESOLVED,
        Incident.suppressed_by.is_(None),
        true() if incident_id is None else Incident.id == incident_id,
    )
    clocks = session.scalars(
        select(IncidentClock)
        .join(Incident, Incident.id == IncidentClock.incident_id)
        .where(
            IncidentClock.stopped_at.is_(None),
            IncidentClock.due_at <= now,
            IncidentClock.reminded_at.is_(None) | (IncidentClock.reminded_at <= quiet),
            *running,
        )
        .order_by(IncidentClock.due_at)
        .limit(limit)
    )
    tasks = session.scalars(
        select(IncidentTask)
        .join(Incident, Incident.id == IncidentTask.incident_id)
        .where(
            IncidentTask.done_at.is_(None),
            IncidentTask.dropped_at.is_(None),
            IncidentTask.due_at.is_not(None),
            IncidentTask.due_at <= now,
            IncidentTask.reminded_at.is_(None) | (IncidentTask.reminded_at <= quiet),
            *running,
        )
        .order_by(IncidentTask.due_at)
        .limit(limit)
    )
    due = [
        *(
            DueClock(one.kind.value, one.id, one.incident_id, one.due_at, _WORDS[one.kind])
            for one in clocks
        ),
        *(
            DueClock(TASK, one.id, one.incident_id, one.due_at, one.title, one.owner)
            for one in tasks
            if one.due_at is not None
        ),
    ]
    return sorted(due, key=lambda one: one.due_at)[:limit]


def mark_reminded(session: Session, due: Iterable[DueClock], now: datetime) -> None:
    """Take note that people were reminded."""
    for one in due:
        model = IncidentTask if one.kind == TASK else IncidentClock
        session.execute(update(model).where(model.id == one.id).values(reminded_at=now))


def add_reminder(
    session: Session, due: DueClock, people: Iterable[tuple[ProtocolContact, str]], now: datetime
) -> None:
    """Write into the timeline that something is overdue, and who was reminded."""
    detail = {"kind": due.kind, "what": due.words, "contacts": [one.id for one, _ in people]}
    add_event(session, due.incident_id, "overdue", "groundswell", now, detail)


def responsible(
    session: Session,
    protocol: EscalationProtocol,
    incident: Incident,
    owner: str,
    now: datetime,
) -> list[tuple[ProtocolContact, str]]:
    """Return whose task something is now: its owner's, the playbook's, else the chain's first.

    An owner is a role, a contact or a user of the console who is one. Of a rotation it is who
    is on call. A step of which nobody is on call is passed over, as the
    chain does; if that leaves nobody, it is everyone's.
    """
    playbook = protocol.playbooks.get(incident.playbook or "")
    for word in (owner, playbook.owner if playbook else ""):
        contact = protocol.find_contact(find_contact_id(protocol, word) or "")
        if contact is not None:
            return [(contact, contact.role)]
        found = on_call.people(session, protocol, incident.brand_id, [word], now)
        if found:
            return found
    for step in protocol.chain_for(incident.severity).steps:
        if step.is_for(incident.severity):
            found = on_call.people(session, protocol, incident.brand_id, step.notify, now)
            if found:
                return found
    return protocol.people([EVERYONE])


def _start(
    session: Session, incident_id: int, kind: ClockKind, limit: timedelta, now: datetime
) -> None:
    session.flush()
    number = session.scalars(
        select(IncidentClock.number)
        .where(IncidentClock.incident_id == incident_id, IncidentClock.kind == kind)
        .order_by(IncidentClock.number.desc())
        .limit(1)
    ).first()
    session.add(
        IncidentClock(
            incident_id=incident_id,
            kind=kind,
            number=0 if number is None else number + 1,
            started_at=now,
            due_at=now + limit,
            stopped_at=None,
            stopped_by=None,
            is_met=None,
            reminded_at=None,
        )
    )


def _running(session: Session, incident_id: int) -> Sequence[IncidentClock]:
    return session.scalars(
        select(IncidentClock)
        .where(IncidentClock.incident_id == incident_id, IncidentClock.stopped_at.is_(None))
        .order_by(IncidentClock.id)
    ).all()
