"""What a brand's week was: how much was said and how, about what, and what people did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from crm_link.board.tables import Cell, Table
from crm_link.board.week_topics import week_topics
from crm_link.escalation.delivery.outbox import MACHINE
from crm_link.escalation.models import BURST, Incident, IncidentEvent
from crm_link.figures.groups import first_answers, median, reasons
from crm_link.linking.link_changes import SYSTEM
from crm_link.models import LinkEvent
from crm_link.reporting.response_times import ResponseTimes, read_response_times, week_of
from listener.models import Brand, Mention
from sentiment.comparison import Difference, net_change, volume_change
from sentiment.models import Correction
from sentiment.topic_windows import topics_of
from sentiment.topics import Topic
from sentiment.trends import NetSentiment, TrendPoint, net_sentiment, volume_series

#: Width of a point of the curve, in seconds.
GRAIN_S = 6 * 3600

#: Topics, and incidents, that are listed.
MOST_TOPICS = 8
MOST_INCIDENTS = 20


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """A brand's window, against the one of the same length before.

    Args:
        brand: The brand.
        since: Begin, included.
        until: End, excluded.
        made_at: When it was read.
        points: The curve.
        net: Net sentiment with its 95 % interval.
        change: By what share mentions grew; None where there is too little to compare.
        net_change: By how much net sentiment rose.
        topics: What it was about, biggest first; each says whether it rises. Their posts are of
            those that were read.
        every: One post of so many was read for the topics; None where they are not found yet.
        incidents: Incidents that were open in the window.
        reasons: Complaints by what they are about.
        responses: How long people took.
        answers: Mentions that the brand's own accounts answered.
        median_answer_s: The middle of the times to these answers.
        done: What people did: how often, by what it was.

    """

    brand: Brand
    since: datetime
    until: datetime
    made_at: datetime
    points: Sequence[TrendPoint]
    mentions: int
    mentions_before: int
    net: NetSentiment
    net_before: NetSentiment
    change: Difference | None
    net_change: Difference | None
    topics: Sequence[Topic]
    every: int | None
    incidents: Sequence[Incident]
    reasons: Mapping[str, int]
    responses: ResponseTimes
    answers: int
    median_answer_s: float | None
    done: Mapping[str, int]

    @property
    def grain(self) -> timedelta:
        """Width of a point of the curve."""
        return timedelta(seconds=GRAIN_S)

    @property
    def peak(self) -> TrendPoint | None:
        """The point with most mentions."""
        return max(self.points, key=lambda point: point.mentions, default=None)


def last_week(now: datetime) -> tuple[datetime, datetime]:
    """Return begin and end of the last week that is over, Monday to Monday, UTC."""
    until = week_of(now)
    return until - timedelta(weeks=1), until


def read_weekly(
    session: Session,
    brand: Brand,
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    at_once: bool = False,
) -> WeeklyReport:
    """Return the report of a brand's window.

    Args:
        session: The transaction; it is only read.
        brand: The brand.
        since: Begin of the window, included.
        until: Its end, excluded.
        now: The present.
        at_once: Whether somebody waits: of a large window only topics that were found in advance
            are in the report then. Finding them takes seconds.

    """
    before = since - (until - since)
    points = volume_series(session, brand.id, since=since, until=until, grain_s=GRAIN_S)
    earlier = volume_series(session, brand.id, since=before, until=since, grain_s=GRAIN_S)
    answers = first_answers(session, brand.id, since, until)
    if at_once:
        about = week_topics(session, brand.id, since, until, most=MOST_TOPICS)
    else:
        about = topics_of(session, brand.id, since, until, most=MOST_TOPICS)
    net, net_before = net_sentiment(points), net_sentiment(earlier)
    return WeeklyReport(
        brand=brand,
        since=since,
        until=until,
        made_at=now,
        points=points,
        mentions=sum(point.mentions for point in points),
        mentions_before=sum(point.mentions for point in earlier),
        net=net,
        net_before=net_before,
        change=volume_change(points, earlier),
        net_change=net_change(net, net_before),
        topics=about.topics if about else (),
        every=about.every if about else None,
        incidents=_incidents(session, brand.id, since, until),
        reasons=reasons(session, brand.id, since, until),
        responses=read_response_times(session, brand.id, since, until, now=now),
        answers=len(answers),
        median_answer_s=median(answers),
        done=_done(session, brand.id, since, until),
    )


def weekly_table(report: WeeklyReport) -> Table:
    """Return a weekly report as one table: section, what, number."""
    rows: list[tuple[Cell, ...]] = [
        ("volume", "mentions", report.mentions),
        ("volume", "mentions before", report.mentions_before),
        ("sentiment", "net", report.net.value),
        ("sentiment", "net, low", report.net.low),
        ("sentiment", "net, high", report.net.high),
        ("sentiment", "net before", report.net_before.value),
    ]
    if report.every is None:
        rows.append(("topic", "not found yet", None))
    rows += [
        ("topic", " ".join(one.words[:4]), one.posts * (report.every or 1)) for one in report.topics
    ]
    rows += [("incident", one.title, one.severity) for one in report.incidents]
    rows += [("complaints", name, number) for name, number in report.reasons.items()]
    rows += [("median seconds", one.name, one.median_s) for one in report.responses.priorities]
    rows += [("done", name, number) for name, number in report.done.items()]
    return Table(("section", "what", "number"), tuple(rows))


def _incidents(
    session: Session, brand_id: int, since: datetime, until: datetime
) -> Sequence[Incident]:
    return session.scalars(
        select(Incident)
        .where(
            Incident.brand_id == brand_id,
            Incident.kind == BURST,
            Incident.opened_at < until,
            Incident.resolved_at.is_(None) | (Incident.resolved_at >= since),
        )
        .order_by(Incident.severity, Incident.opened_at.desc())
        .limit(MOST_INCIDENTS)
    ).all()


def _done(session: Session, brand_id: int, since: datetime, until: datetime) -> dict[str, int]:
    """Return what people did in the window: labels, links (of authors who spoke), incidents."""

    def between(column: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column
        within: ColumnElement[bool] = (column >= since) & (column < until)
        return within

    corrections = (
        select(func.count())
        .select_from(Correction)
        .join(Mention, Mention.id == Correction.mention_id)
        .where(Mention.brand_id == brand_id, between(Correction.at))
    )
    links = (
        select(func.count())
        .select_from(LinkEvent)
        .where(LinkEvent.actor != SYSTEM, between(LinkEvent.at))
    )
    steps = (
        select(func.count())
        .select_from(IncidentEvent)
        .join(Incident, Incident.id == IncidentEvent.incident_id)
        .where(
            Incident.brand_id == brand_id,
            Incident.kind == BURST,
            IncidentEvent.actor != MACHINE,
            between(IncidentEvent.at),
        )
    )
    return {
        "labels corrected": session.scalar(corrections) or 0,
        "links decided (all brands)": session.scalar(links) or 0,
        "steps on incidents": session.scalar(steps) or 0,
    }
