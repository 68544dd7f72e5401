"""What was said in an attack and what was answered: claims, statements, topics, top posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.playbook_models import (
    IncidentClaim,
    IncidentStatement,
    IncidentTask,
    StatementState,
)
from crm_link.escalation.reasons.why import find_stored, summarise_why
from crm_link.escalation.reports.people import IS_NEGATIVE, Size, of_incident
from listener.models import Author, Mention

#: Newest posts that are ranked, besides those that were on top at the opening. Bounded on
#: purpose: each is looked up with its author.
MOST_RANKED = 5_000

#: Posts and claims that a report shows.
TOP_POSTS = 10
TOP_CLAIMS = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """What was asserted, what people found about it, and the words of its first post."""

    title: str
    quote: str | None
    url: str | None
    mentions: int
    verdict: str
    evidence: str
    owner: str
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """What was said by others, and by us; `why` is what the detector found when it began.

    `posts` are those that most people see of the newest `ranked`, and of those on top at its
    opening.
    """

    why: str
    topics: Mapping[str, int]
    platforms: Mapping[str, int]
    claims: Sequence[Claim]
    posts: Sequence[Mention]
    ranked: int
    is_all_ranked: bool
    statements: Sequence[IncidentStatement]
    tasks: Sequence[IncidentTask]


def read_said(
    session: Session, incident: Incident, size: Size, *, since: datetime, until: datetime
) -> Said:
    """Return what was said in an attack of this size."""
    ours = of_incident(incident, since=since, until=until)

    posts, ranked = _top_posts(session, incident, [*ours, IS_NEGATIVE])
    return Said(
        why=summarise_why(find_stored(session, incident.id)),
        topics=size.topics,
        platforms=size.platforms,
        claims=_claims(session, incident.id),
        posts=posts,
        ranked=min(ranked, MOST_RANKED),
        is_all_ranked=ranked <= MOST_RANKED,
        statements=session.scalars(
            select(IncidentStatement)
            .where(
                IncidentStatement.incident_id == incident.id,
                IncidentStatement.state != StatementState.REQUESTED,
            )
            .order_by(IncidentStatement.id)
        ).all(),
        tasks=session.scalars(
            select(IncidentTask)
            .where(IncidentTask.incident_id == incident.id, IncidentTask.dropped_at.is_(None))
            .order_by(IncidentTask.position, IncidentTask.id)
        ).all(),
    )


def _claims(session: Session, incident_id: int) -> list[Claim]:
    rows = session.execute(
        select(IncidentClaim, Mention.text, Mention.url, Mention.deleted_at)
        .outerjoin(Mention, Mention.id == IncidentClaim.mention_id)
        .where(IncidentClaim.incident_id == incident_id)
        .order_by(IncidentClaim.mentions.desc(), IncidentClaim.id)
        .limit(TOP_CLAIMS)
    )
    return [
        Claim(
            title=claim.title,
            quote=text if deleted_at is None else None,
            url=url if deleted_at is None else None,
            mentions=claim.mentions,
            verdict=claim.verdict.value,
            evidence=claim.evidence,
            owner=claim.owner,
            decided_by=claim.decided_by,
            decided_at=claim.decided_at,
        )
        for claim, text, url, deleted_at in rows
    ]


def _top_posts(
    session: Session, incident: Incident, conditions: Sequence[Any]
) -> tuple[Sequence[Mention], int]:
    """Return the posts that most people see, and how many there were to choose from."""
    reach = (
        func.coalesce(Author.followers, 0)
        + 10 * func.coalesce(Mention.reposts, 0)
        + func.coalesce(Mention.likes, 0)
        + 10 * Mention.fold_count
    )
    originals = (*conditions, Mention.folded_into_id.is_(None), Mention.deleted_at.is_(None))
    newest = session.scalars(
        select(Mention.id)
        .where(*originals)
        .order_by(Mention.published_at.desc())
        .limit(MOST_RANKED + 1)
    ).all()
    known = [*newest[:MOST_RANKED], *incident.facts.get("top_posts", [])]
    # Ids first: whole rows of an attack of a hundred thousand posts are too wide to be sorted.
    top = session.scalars(
        select(Mention.id)
        .outerjoin(Mention.author)
        .where(any_of(session, Mention.id, known), Mention.deleted_at.is_(None))
        .order_by(reach.desc(), Mention.id)
        .limit(TOP_POSTS)
    ).all()
    found = session.scalars(
        select(Mention).options(joinedload(Mention.author)).where(any_of(session, Mention.id, top))
    )
    return sorted(found, key=lambda post: top.index(post.id)), len(newest)
