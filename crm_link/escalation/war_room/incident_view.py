"""Everything that is known around one incident: how big it is, who knows, who is next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from crm_link.escalation.chain import upcoming
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.duty import on_call
from crm_link.escalation.incidents import (
    count_events,
    get_incident,
    list_events,
    list_notifications,
)
from crm_link.escalation.models import (
    DRILL,
    Incident,
    IncidentEvent,
    IncidentStatus,
    Notification,
)
from crm_link.escalation.protocol import ProtocolContact
from crm_link.escalation.war_room.room_posts import RoomPosts, read_posts
from crm_link.escalation.war_room.room_size import Size, read_size


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who is told next unless somebody acknowledges, and when."""

    people: tuple[ProtocolContact, ...]
    words: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with what belongs to it.

    Alerts about Groundswell itself, and tests, have no posts and no size. `events` are the whole
    timeline or its latest entries, oldest first; `all_events` is how many there are.
    """

    incident: Incident
    events: Sequence[IncidentEvent]
    all_events: int
    notifications: Sequence[Notification]
    next_step: NextStep | None
    posts: RoomPosts | None
    size: Size | None


def view_incident(
    session: Session, incident_id: int, *, now: datetime, latest: int | None = None
) -> IncidentView:
    """Return an incident with everything around it; if asked for, its `latest` entries only."""
    incident = get_incident(session, incident_id)
    events = list_events(session, incident_id, latest=latest)
    posts = read_posts(session, incident) if incident.is_about_mentions else None
    return IncidentView(
        incident=incident,
        events=events,
        all_events=len(events) if latest is None else count_events(session, incident_id),
        notifications=list_notifications(session, incident_id),
        next_step=_next_step(session, incident),
        posts=posts,
        size=read_size(session, incident, posts.reaches, now=now) if posts else None,
    )


def count_unresolved(session: Session) -> int:
    """Return how many incidents people must still act on; drills are not among them."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Incident)
            .where(Incident.open_key.is_not(None), Incident.kind != DRILL)
        )
        or 0
    )


def newest_event(session: Session) -> int:
    """Return the id of the newest entry of all timelines; 0: there is none."""
    return session.scalar(select(func.max(IncidentEvent.id))) or 0


def opened_since(session: Session, event_id: int) -> tuple[list[Incident], int]:
    """Return incidents opened or opened again after an entry of the timelines, the newest first.

    Those that somebody took on already are not among them. The second value is the last such
    entry, to go on from.
    """
    events = (
        select(IncidentEvent.incident_id, func.max(IncidentEvent.id).label("last"))
        .where(IncidentEvent.id > event_id, IncidentEvent.kind.in_(("opened", "reopened")))
        .group_by(IncidentEvent.incident_id)
        .subquery()
    )
    rows = session.execute(
        select(Incident, events.c.last)
        .join(events, events.c.incident_id == Incident.id)
        .where(Incident.open_key.is_not(None), Incident.status == IncidentStatus.OPEN)
        .options(joinedload(Incident.brand))
        .order_by(events.c.last.desc())
    ).all()
    return [row[0] for row in rows], rows[0].last if rows else event_id


def _next_step(session: Session, incident: Incident) -> NextStep | None:
    protocol = pinned_protocol(session, incident)
    found = upcoming(incident, protocol)
    if found is None:
        return None
    words, at = found
    people = on_call.people(session, protocol, incident.brand_id, words, at)
    left_out = incident.facts.get("leave_out", ())
    told = tuple(contact for contact, _ in people if contact.id not in left_out)
    return NextStep(told, words, at)
