"""Who carried a period: the accounts with the most reach, and the last thing each said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_link.board.hour_sums import IMPORTED
from listener.models import Author, Brand, Mention, Source
from sentiment.facets import FacetSum, Reach, facets_of, reaches_of

#: Accounts that are shown.
MOST = 10


@dataclass(frozen=True, slots=True)
class Influencer:
    """An account that spoke in a period: how often, how many it reaches, and its last post."""

    author: Author
    reach: Reach
    last: Mention | None

    @property
    def impressions(self) -> int:
        """Followers times mentions: how many times it may have been seen, at most."""
        return self.reach.followers * self.reach.mentions


def influencers_of(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> list[Influencer]:
    """Return the accounts that reached most in a window, the largest first."""
    reaches = reaches_of(session, brand_id, since, until, most=MOST)
    ids = [one.author_id for one in reaches]
    authors = {one.id: one for one in session.scalars(select(Author).where(Author.id.in_(ids)))}
    return [
        Influencer(authors[one.author_id], one, _last(session, brand_id, one, since, until))
        for one in reaches
        if one.author_id in authors
    ]


def _last(
    session: Session, brand_id: int | None, reach: Reach, since: datetime, until: datetime
) -> Mention | None:
    query = select(Mention).where(
        Mention.author_id == reach.author_id,
        Mention.published_at >= since,
        Mention.published_at < until,
        Mention.deleted_at.is_(None),
    )
    if brand_id is None:
        query = query.where(Mention.brand_id.in_(select(Brand.id).where(Brand.is_own())))
    else:
        query = query.where(Mention.brand_id == brand_id)
    return session.scalar(query.order_by(Mention.published_at.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class SourceSum:
    """What one source, or imports, gave in a period."""

    source: Source | None
    sum: FacetSum


def board_sources(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> list[SourceSum]:
    """Return what found the mentions of a window, the largest first; None: imports."""
    found = facets_of(session, brand_id, since, until).of("source")
    ids = [int(one.value) for one in found if one.value != IMPORTED]
    sources = {one.id: one for one in session.scalars(select(Source).where(Source.id.in_(ids)))}
    return [
        SourceSum(None if one.value == IMPORTED else sources.get(int(one.value)), one)
        for one in found
    ]
