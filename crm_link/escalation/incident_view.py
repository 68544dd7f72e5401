"""Everything that is known around one incident: how big it is, who knows, who is next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from crm_link.escalation import on_call
from crm_link.escalation.chain import upcoming
from crm_link.escalation.incidents import get_incident, list_events, list_notifications
from crm_link.escalation.models import DRILL, Incident, IncidentEvent, Notification
from crm_link.escalation.outbox import pinned_protocol
from crm_link.escalation.protocol import ProtocolContact
from listener.models import Author, Mention
from sentiment.trends import TrendPoint, volume_series

#: How far before its opening an incident's posts are looked for: the longest usual window.
BEFORE = timedelta(hours=24)

#: Posts that are shown.
TOP_POSTS = 8

#: Newest posts that are ranked for them.
CANDIDATES = 500

#: Width of a bar of the small chart, in seconds, and how many there are at most.
BAR_S = 900
MAX_BARS = 96


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who is told next unless somebody acknowledges, and when."""

    people: tuple[ProtocolContact, ...]
    words: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with what belongs to it; `top_posts` are those that most people saw."""

    incident: Incident
    events: Sequence[IncidentEvent]
    notifications: Sequence[Notification]
    next_step: NextStep | None
    top_posts: Sequence[Mention]
    bars: Sequence[TrendPoint]


def view_incident(session: Session, incident_id: int, *, now: datetime) -> IncidentView:
    """Return an incident with everything around it."""
    incident = get_incident(session, incident_id)
    is_about_mentions = incident.is_about_mentions
    end = incident.resolved_at or now
    until = min(end, incident.last_seen_at + timedelta(hours=6)) + timedelta(seconds=BAR_S)
    since = max(incident.opened_at - BEFORE, until - timedelta(seconds=BAR_S * MAX_BARS))
    return IncidentView(
        incident=incident,
        events=list_events(session, incident_id),
        notifications=list_notifications(session, incident_id),
        next_step=_next_step(session, incident),
        top_posts=_top_posts(session, incident) if is_about_mentions else (),
        bars=(
            volume_series(session, incident.brand_id, since=since, until=until, grain_s=BAR_S)
            if is_about_mentions
            else ()
        ),
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


def _top_posts(session: Session, incident: Incident) -> Sequence[Mention]:
    """Rank the newest negative posts with those that were on top when people were told.

    Bounded on purpose: an incident of a hundred thousand posts must not be a slow page.
    """
    newest = (
        select(Mention.id)
        .where(
            Mention.brand_id == incident.brand_id,
            Mention.label == literal_column("'negative'"),
            Mention.published_at >= incident.opened_at - BEFORE,
            Mention.published_at <= incident.last_seen_at,
            Mention.topic.in_(incident.facts.get("topics") or [incident.topic]),
            Mention.folded_into_id.is_(None),
        )
        .order_by(Mention.published_at.desc())
        .limit(CANDIDATES)
    )
    candidates = {*session.scalars(newest), *incident.facts.get("top_posts", [])}
    reach = (
        func.coalesce(Author.followers, 0)
        + 10 * func.coalesce(Mention.reposts, 0)
        + func.coalesce(Mention.likes, 0)
        + 10 * Mention.fold_count
    )
    return session.scalars(
        select(Mention)
        .outerjoin(Mention.author)
        .options(contains_eager(Mention.author), joinedload(Mention.brand))
        .where(Mention.id.in_(candidates), Mention.deleted_at.is_(None))
        .order_by(reach.desc(), Mention.id)
        .limit(TOP_POSTS)
    ).all()
