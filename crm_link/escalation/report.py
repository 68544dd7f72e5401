"""What an after-action report states: facts only, gathered when it is asked for.

Nothing is copied into a report's own tables: it is read from the timeline, the outbox, the
roll-ups and the stored posts, so that a post which its platform deleted, or which retention
took, is in no later report either. How it looks is said elsewhere (`api.reports`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm_link.escalation.delivery.outbox import MACHINE, pinned_protocol
from crm_link.escalation.drills.models import Drill, DrillState
from crm_link.escalation.drills.result import list_drills
from crm_link.escalation.incidents import list_events, list_notifications
from crm_link.escalation.models import Incident, IncidentEvent, Notification
from crm_link.escalation.reports.coverage import Coverage, read_coverage
from crm_link.escalation.reports.curve import (
    DAYS_BEFORE,
    Rebound,
    peak_of,
    rebound,
)
from crm_link.escalation.reports.people import People, read_people, read_size
from crm_link.escalation.reports.review import Review, get_reported, read_review
from crm_link.escalation.reports.said import Said, read_said
from crm_link.escalation.war_room.milestones import (
    Timing,
    limits_of,
    read_moments,
    timings,
    worst_severity,
)
from crm_link.figures.author_numbers import INCIDENT_LOOKBACK
from sentiment.trends import NetSentiment, TrendPoint, net_sentiment, volume_series

#: The curve shows this much before the attack and after its end, and at most so many points.
MARGIN = timedelta(hours=6)
MOST_POINTS = 120

#: Widths of a point of the curve, in seconds: the finest that gives few enough points is taken.
GRAINS_S = (300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)

#: How long after its end an attack's rebound is followed.
FOLLOWED_FOR = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Curve:
    """The brand's volume and sentiment around the attack."""

    grain: timedelta
    points: tuple[TrendPoint, ...]
    peak: TrendPoint | None
    net: NetSentiment
    rebound: Rebound


@dataclass(frozen=True, slots=True)
class PastDrill:
    """What the last drill before the incident said."""

    id: int
    title: str
    ended_at: datetime
    mode: str
    score: int | None
    times: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report on one incident states."""

    incident: Incident
    worst_severity: str
    made_at: datetime
    since: datetime
    until: datetime
    events: Sequence[IncidentEvent]
    decisions: Sequence[IncidentEvent]
    times: Sequence[Timing]
    curve: Curve
    said: Said
    people: People
    coverage: Coverage
    alerts: Sequence[Notification]
    drills: Sequence[PastDrill]
    review: Review

    @property
    def told(self) -> list[str]:
        """Who got a message, each once."""
        return list(dict.fromkeys(row.contact for row in self.alerts if row.sent_at is not None))


def read_report(
    session: Session, incident_id: int, *, now: datetime, with_people: bool = False
) -> Report:
    """Return what is known about an incident.

    Args:
        session: The transaction.
        incident_id: The incident.
        now: The present.
        with_people: Whether the contacts who spoke are named; else they are counted only.

    Raises:
        NotFoundError: There is no such incident, or it has no report.

    """
    incident = get_reported(session, incident_id)
    protocol = pinned_protocol(session, incident)
    events = list_events(session, incident_id)
    since = attack_began(incident)
    until = incident.resolved_at or now
    worst = worst_severity(incident, events)
    size = read_size(session, incident, since=since, until=until)
    return Report(
        incident=incident,
        worst_severity=worst,
        made_at=now,
        since=since,
        until=until,
        events=events,
        decisions=[event for event in events if event.actor != MACHINE],
        times=timings(
            read_moments(session, incident),
            first_post_at=since,
            opened_at=incident.opened_at,
            limits=limits_of(protocol, worst),
            until=until,
        ),
        curve=_curve(session, incident, since=since, until=until, now=now),
        said=read_said(session, incident, size, since=since, until=until),
        people=read_people(
            session, incident, size, since=since, until=until, with_names=with_people
        ),
        coverage=read_coverage(session, incident.brand_id, since=since, until=until),
        alerts=list_notifications(session, incident_id),
        drills=_drills(session, incident),
        review=read_review(session, incident, protocol, now=now),
    )


def attack_began(incident: Incident) -> datetime:
    """Return when the first post was published that the incident was opened for."""
    stored = incident.facts.get("since"), incident.peak.get("since")
    firsts = [datetime.fromisoformat(one) for one in stored if isinstance(one, str)]
    first = min([*firsts, incident.opened_at])
    return max(first, incident.opened_at - INCIDENT_LOOKBACK)


def _curve(
    session: Session, incident: Incident, *, since: datetime, until: datetime, now: datetime
) -> Curve:
    begin, end = since - MARGIN, min(now, max(until, incident.last_seen_at) + MARGIN)
    length_s = (end - begin).total_seconds()
    grain_s = next((one for one in GRAINS_S if length_s / one <= MOST_POINTS), GRAINS_S[-1])
    points = volume_series(session, incident.brand_id, since=begin, until=end, grain_s=grain_s)
    hours = volume_series(
        session,
        incident.brand_id,
        since=since - timedelta(days=DAYS_BEFORE),
        until=min(now, until + FOLLOWED_FOR),
        grain_s=3600,
    )
    grain = timedelta(seconds=grain_s)
    during = [
        point for point in points if since - grain < point.at < max(until, incident.last_seen_at)
    ]
    return Curve(
        grain=grain,
        points=tuple(points),
        peak=peak_of(during),
        net=net_sentiment(during),
        rebound=rebound(hours, began_at=since, now=min(now, until + FOLLOWED_FOR)),
    )


def _drills(session: Session, incident: Incident) -> list[PastDrill]:
    found: list[Drill] = [
        drill
        for drill in list_drills(session, brand_id=incident.brand_id, limit=20)
        if drill.state is DrillState.DONE
        and drill.ended_at is not None
        and drill.ended_at <= incident.opened_at
    ]
    return [
        PastDrill(
            id=drill.id,
            title=drill.title,
            ended_at=drill.ended_at or drill.started_at,
            mode=drill.mode.value,
            score=drill.score,
            times=drill.result.get("times", []),
        )
        for drill in found[:3]
    ]
