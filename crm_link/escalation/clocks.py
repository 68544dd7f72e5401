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
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import BURST, DRILL, Incident, IncidentStatus
from crm_link.escalation.outbox import add_event, pinned_protocol
from crm_link.escalation.playbook_models import ClockKind, IncidentClock, IncidentTask
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact
from crm_link.escalation.signs_of_work import show_work

#: How long after a reminder the next one comes, while nobody has done it.
REMIND_EVERY = timedelta(minutes=15)

#: The kind of what is due where a task is.
TASK = "task"


@dataclass(frozen=True, slots=True)
class DueClock:
    """Something that is overdue, and who is to be reminded.

    Args:
        kind: `holding_statement`, `update` or `task`.
        id: Of the clock or the task.
        incident_id: Where.
        due_at: Since when it is overdue.
        words: What has to be done, to be shown.
        people: Who has to do it, with the role that they are told in.

    """

    kind: str
    id: int
    incident_id: int
    due_at: datetime
    words: str
    people: tuple[tuple[ProtocolContact, str], ...]


_WORDS = {
    ClockKind.HOLDING_STATEMENT: "publish the holding statement",
    ClockKind.UPDATE: "publish the next update",
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
    if not running and ran is None and incident.kind in {BURST, DRILL}:
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
    resolved are left out.
    """
    quiet = now - REMIND_EVERY
    here = true() if incident_id is None else Incident.id == incident_id
    clocks = session.execute(
        select(IncidentClock, Incident)
        .join(Incident, Incident.id == IncidentClock.incident_id)
        .where(
            IncidentClock.stopped_at.is_(None),
            IncidentClock.due_at <= now,
            IncidentClock.reminded_at.is_(None) | (IncidentClock.reminded_at <= quiet),
            Incident.status != IncidentStatus.RESOLVED,
            here,
        )
        .order_by(IncidentClock.due_at)
        .limit(limit)
    )
    tasks = session.execute(
        select(IncidentTask, Incident)
        .join(Incident, Incident.id == IncidentTask.incident_id)
        .where(
            IncidentTask.done_at.is_(None),
            IncidentTask.dropped_at.is_(None),
            IncidentTask.due_at.is_not(None),
            IncidentTask.due_at <= now,
            IncidentTask.reminded_at.is_(None) | (IncidentTask.reminded_at <= quiet),
            Incident.status != IncidentStatus.RESOLVED,
            here,
        )
        .order_by(IncidentTask.due_at)
        .limit(limit)
    )
    due = [
        *(_due_clock(session, clock, incident) for clock, incident in clocks),
        *(_due_task(session, task, incident) for task, incident in tasks),
    ]
    return sorted(due, key=lambda one: one.due_at)[:limit]


def mark_reminded(session: Session, due: Iterable[DueClock], now: datetime) -> None:
    """Take note that people were reminded."""
    for one in due:
        model = IncidentTask if one.kind == TASK else IncidentClock
        session.execute(update(model).where(model.id == one.id).values(reminded_at=now))


def add_reminder(session: Session, due: DueClock, now: datetime) -> None:
    """Write into the timeline that something is overdue."""
    detail = {"kind": due.kind, "what": due.words, "contacts": [one.id for one, _ in due.people]}
    add_event(session, due.incident_id, "overdue", "groundswell", now, detail)


def responsible(
    protocol: EscalationProtocol, incident: Incident, owner: str = ""
) -> tuple[tuple[ProtocolContact, str], ...]:
    """Return whose task something is: of its owner, the playbook's, else of the chain's first."""
    playbook = protocol.playbooks.get(incident.playbook or "")
    for word in (owner, playbook.owner if playbook else ""):
        contact = protocol.find_contact(word) if word else None
        if contact is not None:
            return ((contact, contact.role),)
        people = tuple(protocol.people([word])) if word else ()
        if people:
            return people
    steps = protocol.chain_for(incident.severity).steps
    first = next((one for one in steps if one.is_for(incident.severity)), steps[0])
    return tuple(protocol.people(first.notify))


def _due_clock(session: Session, clock: IncidentClock, incident: Incident) -> DueClock:
    people = responsible(pinned_protocol(session, incident), incident)
    kind, words = clock.kind.value, _WORDS[clock.kind]
    return DueClock(kind, clock.id, incident.id, clock.due_at, words, people)


def _due_task(session: Session, task: IncidentTask, incident: Incident) -> DueClock:
    people = responsible(pinned_protocol(session, incident), incident, task.owner)
    assert task.due_at is not None
    return DueClock(TASK, task.id, incident.id, task.due_at, task.title, people)


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
