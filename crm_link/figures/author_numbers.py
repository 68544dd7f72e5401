"""What an author's mentions add up to, for the CRM records of the contacts they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from crm_link.escalation.models import Incident
from crm_link.types import Priority
from listener.models import Author, Mention
from sentiment.types import Label

#: Priorities of complaints; a mention has to be negative besides.
COMPLAINING = (Priority.RISK, Priority.CANCEL, Priority.SERVICE)

#: A complaint may be older than the alert that it helped to raise, by this much.
INCIDENT_LOOKBACK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AuthorNumbers:
    """One author's mentions, what was found in them, and the open incident they belong to."""

    mentions: int
    last_at: datetime | None
    score_sum: float
    scored: int
    last_label: str | None
    incident: str | None
    complaints: int = 0


def author_numbers(session: Session, author_ids: Collection[int]) -> dict[int, AuthorNumbers]:
    """Return each author's numbers, by the index on author and time."""
    if not author_ids:
        return {}
    ordered = sorted(author_ids)
    is_known = Mention.label.is_not(None) & (Mention.label != Label.UNKNOWN.value)
    counts = session.execute(
        select(
            Mention.author_id,
            func.count().label("mentions"),
            func.max(Mention.published_at).label("last_at"),
            func.coalesce(func.sum(case((is_known, Mention.score), else_=0.0)), 0.0),
            func.coalesce(func.sum(case((is_known, 1), else_=0)), 0),
            func.coalesce(func.sum(case((_complains(), 1), else_=0)), 0),
        )
        .where(any_of(session, Mention.author_id, ordered), Mention.deleted_at.is_(None))
        .group_by(Mention.author_id)
    ).all()
    last_label = (
        select(Mention.label)
        .where(Mention.author_id == Author.id, is_known, Mention.deleted_at.is_(None))
        .order_by(Mention.published_at.desc(), Mention.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    labels: dict[int, str | None] = {
        row[0]: row[1]
        for row in session.execute(
            select(Author.id, last_label).where(any_of(session, Author.id, ordered))
        )
    }
    incidents = _open_incidents(session, ordered)
    return {
        row[0]: AuthorNumbers(
            mentions=row[1],
            last_at=row[2],
            score_sum=float(row[3]),
            scored=int(row[4]),
            last_label=labels.get(row[0]),
            incident=incidents.get(row[0]),
            complaints=int(row[5]),
        )
        for row in counts
        if row[0] is not None
    }


def _complains() -> ColumnElement[bool]:
    priorities = [one.value for one in COMPLAINING]
    return (Mention.label == Label.NEGATIVE.value) & Mention.priority.in_(priorities)


def _open_incidents(session: Session, author_ids: Sequence[int]) -> dict[int, str]:
    """Return the newest open incident that an author's negative mention belongs to, by author."""
    incidents = session.execute(
        select(Incident.id, Incident.brand_id, Incident.topic, Incident.opened_at)
        .where(Incident.open_key.is_not(None))
        .order_by(Incident.id)
    ).all()
    if not incidents:
        return {}
    newest = session.execute(
        select(
            Mention.author_id,
            Mention.brand_id,
            Mention.topic,
            func.max(Mention.published_at).label("last_at"),
        )
        .where(
            any_of(session, Mention.author_id, author_ids),
            Mention.label == Label.NEGATIVE.value,
            Mention.topic.in_({incident.topic for incident in incidents}),
            Mention.deleted_at.is_(None),
        )
        .group_by(Mention.author_id, Mention.brand_id, Mention.topic)
    ).all()
    found: dict[int, str] = {}
    for incident in incidents:
        for row in newest:
            if (
                row.author_id is not None
                and (row.brand_id, row.topic) == (incident.brand_id, incident.topic)
                and row.last_at >= incident.opened_at - INCIDENT_LOOKBACK
            ):
                found[row.author_id] = f"incident {incident.id}"
    return found
