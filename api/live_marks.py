"""Revision marks: what tells that something changed, whoever changed it.

A mark is a name and a value that is another one after each change. The values are read from
what is written anyway (timeline, audit log, queue, sources), so that workers and other servers
need not tell anybody, and no hot row is written for it. All of it is read by primary keys and
small indexes, whatever the number of mentions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.models import AuditEvent
from config.clock import utc_now
from crm_link.escalation.models import Incident, IncidentEvent, Notification
from crm_link.flags.models import QueuePresence
from crm_link.flags.queue_presence import GONE_AFTER
from crm_link.models import Flag, IdentityLink
from crm_link.replying.models import ReplyEvent
from listener.models import Mention, Source

#: Name -> value. Names are `kind:id`, or a kind alone for a list of such things.
Marks = Mapping[str, tuple[Any, ...]]

#: Newest rows that are looked at. What is committed late has a lower id than what came before
#: it, so that the highest id alone would miss it.
NEWEST = 500


def mark_lists(session: Session) -> Marks:
    """Mark what only grows: mentions, the queue, suggested links."""
    return {
        "mentions": _newest(session, Mention.id),
        "queue": _newest(session, Flag.id),
        "links": _newest(session, IdentityLink.id),
    }


def mark_acts(session: Session) -> Marks:
    """Mark what people changed: `mention 17` in the audit log is `mention:17`."""
    found = select(AuditEvent.subject, func.max(AuditEvent.id)).where(
        AuditEvent.id > _highest(session, AuditEvent.id) - NEWEST
    )
    return {
        subject.replace(" ", ":"): ("audit", newest)
        for subject, newest in session.execute(found.group_by(AuditEvent.subject))
    }


def mark_work(session: Session) -> Marks:
    """Mark who is with which mention of the queue; not when, which changes all the time."""
    found = session.execute(
        select(QueuePresence.mention_id, QueuePresence.who, QueuePresence.is_working)
        .where(QueuePresence.seen_at > utc_now() - GONE_AFTER)
        .order_by(QueuePresence.mention_id, QueuePresence.who)
    )
    return {"presence": tuple(tuple(row) for row in found)}


def mark_replies(session: Session) -> Marks:
    """Mark mentions whose replies changed, by people or on their way out."""
    newest = (
        select(ReplyEvent.mention_id, func.max(ReplyEvent.id))
        .where(ReplyEvent.id > _highest(session, ReplyEvent.id) - NEWEST)
        .group_by(ReplyEvent.mention_id)
    )
    marks: dict[str, tuple[Any, ...]] = {"replies": (_highest(session, ReplyEvent.id),)}
    for mention_id, event_id in session.execute(newest):
        marks[f"mention:{mention_id}"] = ("reply", event_id)
    return marks


def mark_incidents(session: Session) -> Marks:
    """Mark incidents: their timelines, and how those that are not over stand."""
    highest = _highest(session, IncidentEvent.id)
    events = (
        select(IncidentEvent.incident_id, func.max(IncidentEvent.id))
        .where(IncidentEvent.id > highest - NEWEST)
        .group_by(IncidentEvent.incident_id)
    )
    marks: dict[int, tuple[Any, ...]] = {row[0]: (row[1],) for row in session.execute(events)}
    running = select(
        Incident.id,
        Incident.severity,
        Incident.last_seen_at,
        Incident.claims_at,
        Incident.round,
        Incident.step,
        Incident.next_due_at,
    ).where(Incident.open_key.is_not(None))
    for row in session.execute(running):
        marks[row[0]] = marks.get(row[0], ()) + tuple(row[1:])
    told = (
        select(
            Notification.incident_id,
            func.count(),
            func.max(Notification.sent_at),
            func.sum(Notification.attempts),
        )
        .join(Incident, Incident.id == Notification.incident_id)
        .where(Incident.open_key.is_not(None))
        .group_by(Notification.incident_id)
    )
    for sent in session.execute(told):
        marks[sent[0]] = marks.get(sent[0], ()) + tuple(sent[1:])
    return {f"incident:{number}": mark for number, mark in marks.items()}


def mark_sources(session: Session) -> Marks:
    """Mark how the sources do."""
    states = select(Source.id, Source.state, Source.is_active, Source.failures).order_by(Source.id)
    return {"status": tuple(tuple(row) for row in session.execute(states))}


#: Everything that is looked at. The later one of two with the same name is added to the other.
MARKERS: tuple[Callable[[Session], Marks], ...] = (
    mark_lists,
    mark_acts,
    mark_work,
    mark_replies,
    mark_incidents,
    mark_sources,
)


def read_marks(session: Session) -> dict[str, tuple[Any, ...]]:
    """Return all marks as they stand now."""
    found: dict[str, tuple[Any, ...]] = {}
    for marker in MARKERS:
        for name, mark in marker(session).items():
            found[name] = found.get(name, ()) + mark
    return found


def changed_names(before: Marks, after: Marks) -> list[str]:
    """Return what is new or another one, each `kind:id` followed by the list that it is in.

    A mention that somebody worked on changes the queue as well; `queue:BATCH` is an action on
    many. What is not looked at any more has not changed.
    """
    names: dict[str, None] = {}
    for name, mark in after.items():
        if before.get(name) == mark:
            continue
        names[name] = None
        kind, _, number = name.partition(":")
        if number:
            names[f"{kind}s"] = None
        if kind in {"mention", "queue"}:
            names["queue"] = None
    return list(names)


def _highest(session: Session, column: InstrumentedAttribute[int]) -> int:
    return session.scalar(select(func.max(column))) or 0


def _newest(session: Session, column: InstrumentedAttribute[int]) -> tuple[int, int]:
    highest = _highest(session, column)
    counted = select(func.count()).where(column > highest - NEWEST)
    return highest, session.scalar(counted) or 0
