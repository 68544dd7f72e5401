"""What a drill came to: its times, its timeline, who would have been told; and its score."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from crm_link.escalation.delivery.outbox import MACHINE, pinned_protocol
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.drills.score import points, score
from crm_link.escalation.incidents import list_events, list_notifications
from crm_link.escalation.models import Incident
from crm_link.escalation.war_room.milestones import (
    Milestone,
    Timing,
    limits_of,
    read_moments,
    timings,
    worst_severity,
)
from crm_link.models import DeliveryStatus
from listener.models import Brand

#: What people do; in compressed time nobody is asked.
_BY_PEOPLE = frozenset(
    {Milestone.ACKNOWLEDGE, Milestone.HOLDING, Milestone.REPLY, Milestone.RESOLVE}
)


def first_incident(session: Session, drill: Drill) -> Incident | None:
    """Return the first incident that a drill opened, None where it opened none."""
    return session.scalar(
        select(Incident)
        .join(Brand, Brand.id == Incident.brand_id)
        .where(Brand.drill_of_id == drill.brand_id, Incident.opened_at >= drill.started_at)
        .where(Incident.opened_at <= (drill.ended_at or drill.ends_at + timedelta(days=1)))
        .order_by(Incident.opened_at, Incident.id)
        .limit(1)
    )


def list_drills(session: Session, *, brand_id: int | None = None, limit: int = 50) -> list[Drill]:
    """Return drills with their brands, newest first."""
    query = select(Drill).options(joinedload(Drill.brand)).order_by(Drill.id.desc())
    if brand_id is not None:
        query = query.where(Drill.brand_id == brand_id)
    return list(session.scalars(query.limit(limit)))


def store_rehearsal(session: Session, played: Drill) -> Drill:
    """Store what a drill in compressed time came to, which ran over another database."""
    drill = Drill(
        brand_id=played.brand_id,
        mode=played.mode,
        state=played.state,
        scenario=played.scenario,
        title=played.title,
        started_at=played.started_at,
        started_by=played.started_by,
        ends_at=played.ends_at,
        ended_at=played.ended_at,
        fed=played.fed,
        script=[],
        score=played.score,
        result=played.result,
    )
    session.add(drill)
    session.flush()
    return drill


def last_drill_at(session: Session, brand_id: int) -> datetime | None:
    """Return when people last went through a drill of this brand to its end."""
    return session.scalar(
        select(func.max(Drill.ended_at)).where(
            Drill.brand_id == brand_id,
            Drill.mode == DrillMode.LIVE,
            Drill.state == DrillState.DONE,
        )
    )


def measure(session: Session, drill: Drill, *, now: datetime) -> tuple[dict[str, Any], int | None]:
    """Return what a drill came to, fit for JSON, and its score."""
    incident = first_incident(session, drill)
    posts = {"posts": len(drill.script), "fed": drill.fed}
    if incident is None:
        timed = [
            Timing(Milestone.DETECT, None, timedelta(minutes=1), waited=now - drill.started_at)
        ]
        return {**posts, "incident_id": None, "times": [_row(one) for one in timed]}, 0
    protocol = pinned_protocol(session, incident)
    events = list_events(session, incident.id)
    worst = worst_severity(incident, events)
    moments = read_moments(session, incident)
    if incident.resolved_by == MACHINE:
        moments[Milestone.RESOLVE] = None  # nobody did
    timed = timings(
        moments,
        first_post_at=drill.started_at,
        opened_at=incident.opened_at,
        limits=limits_of(protocol, worst),
        until=now,
    )
    if drill.mode is DrillMode.FAST:
        timed = [replace(one, is_asked=one.what not in _BY_PEOPLE) for one in timed]
    messages = list_notifications(session, incident.id)
    return {
        **posts,
        "incident_id": incident.id if drill.mode is DrillMode.LIVE else None,
        "severity": worst,
        "topic": incident.topic,
        "peak": incident.peak.get("negatives"),
        "times": [_row(one) for one in timed],
        "timeline": [
            {
                "at": event.at.isoformat(),
                "kind": event.kind,
                "who": event.detail.get("contacts", []),
            }
            for event in events
        ],
        "told": list(dict.fromkeys(row.contact for row in messages)),
        "messages": len(messages),
        "dead": sum(row.status is DeliveryStatus.DEAD for row in messages),
    }, score(timed)


def _row(timing: Timing) -> dict[str, Any]:
    earned = points(timing)
    return {
        "what": timing.what.value,
        "took_s": None if timing.took is None else round(timing.took.total_seconds()),
        "limit_s": None if timing.limit is None else round(timing.limit.total_seconds()),
        "is_met": timing.is_met,
        "is_asked": timing.is_asked,
        "points": None if earned is None else round(100 * earned),
    }
