"""What another query would have found in what is stored, and what it would cost.

Only posts that were stored can be looked at: those of all brands and competitors, which other
queries found. What no query has found yet, nobody can count before; so the estimate is one for
a query that is narrowed or changed a little, and a lower bound for one that is widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from listener.collection_models import Collection
from listener.models import Author, Brand, Mention, Source
from listener.queries.compile import REDDIT_DIALECT, X_DIALECT, compile_query
from listener.query import Query, QueryError, Subject, parse

#: Days that are looked at, and the newest mentions in them: so many of the brand itself, and so
#: many of all others together, of each of them as many.
DAYS = 7
MOST_LOOKED_AT = 3_000

#: Mentions that are shown as examples.
EXAMPLES = 5

_DAY_S = 86_400.0

_LOOKED_AT: tuple[Any, ...] = (
    Mention.id,
    Mention.text,
    Mention.url,
    Mention.platform_lang,
    Mention.platform,
    Mention.kind,
    Mention.links,
    Author.handle,
    Brand.name,
)


class PriceSettings(BaseSettings):
    """What X charges. Prices change: look them up in X's developer console."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_X_", extra="ignore", frozen=True)

    price_post: float = Field(default=0.005, ge=0, description="US dollars for reading a post.")
    price_author: float = Field(
        default=0.010, ge=0, description="US dollars for reading an author, at most once per post."
    )


@dataclass(frozen=True, slots=True)
class Example:
    """A stored mention that the two queries judge differently."""

    mention_id: int
    brand_name: str
    platform: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a query would have found in the stored mentions of the last days.

    Args:
        looked_at: Mentions that were looked at, the newest.
        found: Those that it finds.
        found_now: Those that the brand's present query finds.
        lost: What the present one finds and it does not.
        gained: What it finds and the present one does not.
        lost_count: All of `lost`; the examples are some.
        gained_count: All of `gained`.

    """

    looked_at: int
    found: int
    found_now: int
    lost_count: int
    gained_count: int
    lost: tuple[Example, ...]
    gained: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class SourceCost:
    """What one source is expected to bring and to cost in a day.

    Args:
        name: The source.
        platform: Where it reads.
        days: Days over which its rate was measured; 0: it was never read.
        posts: Posts a day that were new, as measured.
        expected: Posts a day that the other query would bring; None where nothing was measured.
        requests: Requests a day, at least: one for each search each time.
        dollars: What X charges a day, from posts alone to posts with their authors; None for
            other platforms.

    """

    name: str
    platform: str
    days: float
    posts: float
    expected: float | None
    requests: float
    dollars: tuple[float, float] | None


def preview_query(session: Session, brand: Brand, query: Query, now: datetime) -> Preview:
    """Return what a query would have found, against the brand's present one."""
    present = _parsed(brand.query)
    looked_at = found = found_now = lost_count = gained_count = 0
    lost: list[Example] = []
    gained: list[Example] = []
    for row in _stored(session, brand, now):
        subject = Subject(
            text=row.text,
            author_handle=row.handle,
            url=row.url,
            lang=row.platform_lang,
            platform=row.platform,
            kind=row.kind,
            links=tuple(row.links),
        )
        is_found = query.matches(subject)
        was_found = present is not None and present.matches(subject)
        looked_at, found, found_now = looked_at + 1, found + is_found, found_now + was_found
        if is_found == was_found:
            continue
        gained_count, lost_count = gained_count + is_found, lost_count + was_found
        examples = gained if is_found else lost
        if len(examples) < EXAMPLES:
            examples.append(Example(row.id, row.name, row.platform, row.text))
    return Preview(
        looked_at, found, found_now, lost_count, gained_count, tuple(lost), tuple(gained)
    )


def cost_of(
    session: Session,
    brand: Brand,
    query: Query,
    now: datetime,
    *,
    preview: Preview | None = None,
    prices: PriceSettings | None = None,
) -> list[SourceCost]:
    """Return what each of a brand's sources is expected to bring and to cost a day.

    The measured rate of the last days, times what the preview says the query finds of it. A
    source that does not ask for the query (mentions of an account, say) stays as it is.
    """
    prices = prices or PriceSettings()
    share = 1.0
    if preview is not None and preview.found_now:
        share = preview.found / preview.found_now
    sources = session.scalars(
        select(Source).where(Source.brand_id == brand.id, Source.is_active).order_by(Source.name)
    ).all()
    return [_cost(session, source, query, now, share, prices) for source in sources]


def _cost(
    session: Session,
    source: Source,
    query: Query,
    now: datetime,
    share: float,
    prices: PriceSettings,
) -> SourceCost:
    since = now - timedelta(days=DAYS)
    new, first = session.execute(
        select(func.sum(Collection.new), func.min(Collection.started_at)).where(
            Collection.source_id == source.id, Collection.started_at >= since
        )
    ).one()
    days = 0.0 if first is None else max((now - first).total_seconds() / _DAY_S, 1 / 24)
    posts = int(new or 0) / days if days else 0.0
    is_search = source.options.get("kind", "search") == "search"
    expected = (posts * share if is_search else posts) if days else None
    searches = _searches(query, source.platform) if is_search else 1
    dollars = None
    if source.platform == X_DIALECT.platform and expected is not None:
        dollars = (
            expected * prices.price_post,
            expected * (prices.price_post + prices.price_author),
        )
    return SourceCost(
        source.name,
        source.platform,
        days,
        posts,
        expected,
        searches * _DAY_S / source.every_s,
        dollars,
    )


def _searches(query: Query, platform: str) -> int:
    for dialect in (X_DIALECT, REDDIT_DIALECT):
        if dialect.platform == platform:
            try:
                return len(compile_query(query, dialect).texts)
            except QueryError:
                return 0
    return 1


def _parsed(text: str) -> Query | None:
    try:
        return parse(text)
    except QueryError:
        return None


def _stored(session: Session, brand: Brand, now: datetime) -> Sequence[Row[Any]]:
    """Return the newest stored mentions of the last days, of every brand and competitor."""
    found: list[Row[Any]] = []
    others = session.scalars(
        select(Brand.id).where(Brand.drill_of_id.is_(None), Brand.id != brand.id)
    ).all()
    most = dict.fromkeys(others, -(-MOST_LOOKED_AT // max(len(others), 1)))
    for brand_id, limit in {brand.id: MOST_LOOKED_AT, **most}.items():
        found += session.execute(
            select(*_LOOKED_AT)
            .join(Brand, Brand.id == Mention.brand_id)
            .outerjoin(Author, Author.id == Mention.author_id)
            .where(
                Mention.brand_id == brand_id,
                Mention.published_at >= now - timedelta(days=DAYS),
                Mention.published_at <= now,
                Mention.deleted_at.is_(None),
            )
            .order_by(Mention.published_at.desc(), Mention.id.desc())
            .limit(limit)
        ).all()
    return found
