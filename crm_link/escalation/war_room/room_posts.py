"""What is said in an attack: its newest negative posts, counted, and those most people see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session, joinedload

from crm_link.escalation.models import Incident
from listener.models import Author, Mention, Source

#: How far before its opening an incident's posts are looked for: the longest usual window.
BEFORE = timedelta(hours=24)

#: Posts that are shown.
TOP_POSTS = 8

#: Newest posts that are counted and ranked. Bounded on purpose: an incident of a hundred
#: thousand posts must not be a slow page.
NEWEST = 500

#: What a repost or a near-duplicate weighs, in followers: somebody showed it to theirs.
SHARED = 10


@dataclass(frozen=True, slots=True)
class RoomPosts:
    """What is said.

    Args:
        top: The posts that most people see.
        looked_at: How many of the newest were counted.
        is_all: Whether those are all there are.
        platforms: Posts by platform, the most first; so are languages and sources.
        reaches: Followers of the author of each, 0 where the platform tells none.

    """

    top: Sequence[Mention]
    looked_at: int
    is_all: bool
    platforms: Mapping[str, int]
    languages: Mapping[str, int]
    sources: Mapping[str, int]
    reaches: Sequence[int]


def read_posts(session: Session, incident: Incident) -> RoomPosts:
    """Return what an incident's newest negative posts say, with what was on top at its opening."""
    columns = (
        Mention.id,
        Mention.platform,
        Mention.lang,
        Mention.source_id,
        Mention.reposts,
        Mention.likes,
        Mention.fold_count,
        Author.followers,
    )
    newest = session.execute(
        select(*columns)
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(
            Mention.brand_id == incident.brand_id,
            Mention.label == literal_column("'negative'"),
            Mention.published_at >= incident.opened_at - BEFORE,
            Mention.published_at <= incident.last_seen_at,
            Mention.topic.in_(incident.facts.get("topics") or [incident.topic]),
            Mention.folded_into_id.is_(None),
            Mention.deleted_at.is_(None),
        )
        .order_by(Mention.published_at.desc())
        .limit(NEWEST)
    ).all()
    known = {row.id for row in newest}
    early = [one for one in incident.facts.get("top_posts", []) if one not in known]
    ranked = list(newest)
    if early:
        ranked += session.execute(
            select(*columns)
            .outerjoin(Author, Author.id == Mention.author_id)
            .where(Mention.id.in_(early), Mention.deleted_at.is_(None))
        ).all()
    ranked.sort(
        key=lambda row: (
            -_seen_by(row.followers, row.reposts, row.fold_count, row.likes),
            row.id,
        )
    )
    names = _source_names(session, incident.brand_id)
    return RoomPosts(
        top=_load(session, [row.id for row in ranked[:TOP_POSTS]]),
        looked_at=len(newest),
        is_all=len(newest) < NEWEST,
        platforms=_counted(row.platform for row in newest),
        languages=_counted(row.lang or "und" for row in newest),
        sources=_counted(names.get(row.source_id, "") for row in newest),
        reaches=[row.followers or 0 for row in newest],
    )


def _seen_by(followers: int | None, reposts: int | None, folded: int, likes: int | None) -> int:
    """Return how many people saw a post, by what its platform tells; only good for an order."""
    return (followers or 0) + SHARED * ((reposts or 0) + folded) + (likes or 0)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _source_names(session: Session, brand_id: int) -> dict[int | None, str]:
    rows = session.execute(select(Source.id, Source.name).where(Source.brand_id == brand_id))
    return {row.id: row.name for row in rows}


def _load(session: Session, ids: Sequence[int]) -> list[Mention]:
    found = {
        mention.id: mention
        for mention in session.scalars(
            select(Mention)
            .options(joinedload(Mention.author), joinedload(Mention.brand))
            .where(Mention.id.in_(ids))
        )
    }
    return [found[one] for one in ids if one in found]
