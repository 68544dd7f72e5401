"""The counts that bursts are found in: mentions by five minutes of publication time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, case, cast, extract, func, literal_column, select
from sqlalchemy.orm import Session

from config.db import is_sqlite
from listener.models import Author, Mention
from sentiment.bursts.listening import STEP_S
from sentiment.models import Volume
from sentiment.types import Label

#: Kinds of series: negative mentions only, or all.
NEGATIVE = "negative"
ALL = "all"

#: Negative mentions among all: each bucket is a pair of both.
SHARE = "share"

#: Negative mentions, each counted by how many people it may reach.
REACH = "reach"

#: Negative mentions with words of risk: the priority that triage gives for a lawsuit or a fire.
RISK = "risk"

#: What a bucket holds: a count, or negatives among all mentions.
Seen = int | tuple[int, int]

#: The counts of one series, by the beginning of the bucket.
Counts = Mapping[datetime, Seen]

#: From so many followers on, a post counts so many times: a thousand times the reach must
#: not hide a thousand angry people, so the weight grows with the order of magnitude only.
REACH_WEIGHTS = ((1_000_000, 7), (100_000, 5), (10_000, 3), (1_000, 2))

#: The word of triage for what can hurt people or end in court (`crm_link.types.Priority`).
_RISK_PRIORITY = "risk"

#: Brands that one question is about: databases limit how many values may be named.
_BRANDS_AT_ONCE = 200

# A literal, because PostgreSQL takes two parameters in SELECT and GROUP BY for two expressions.
_STEP = literal_column(str(STEP_S), Integer)

# As a literal, because SQLite uses a partial index only where it can see the condition.
_IS_NEGATIVE = Mention.label == literal_column("'negative'")


def brand_counts(
    session: Session, since: datetime, until: datetime, *, brand_id: int | None = None
) -> dict[tuple[int, str], dict[datetime, int]]:
    """Return each brand's counts, by brand and kind, from the roll-up.

    Args:
        session: The transaction.
        since: The first bucket.
        until: End, not included.
        brand_id: Only this brand.

    """
    query = (
        select(Volume.brand_id, Volume.bucket_at, Volume.label, func.sum(Volume.mentions))
        .where(Volume.grain_s == STEP_S, Volume.bucket_at >= since, Volume.bucket_at < until)
        .group_by(Volume.brand_id, Volume.bucket_at, Volume.label)
    )
    if brand_id is not None:
        query = query.where(Volume.brand_id == brand_id)
    found: dict[tuple[int, str], dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for brand, bucket_at, label, mentions in session.execute(query):
        found[brand, ALL][bucket_at] += int(mentions)
        if label == Label.NEGATIVE:
            found[brand, NEGATIVE][bucket_at] += int(mentions)
    return dict(found)


def share_counts(
    counts: Mapping[tuple[int, str], Mapping[datetime, int]],
) -> dict[tuple[int, str], dict[datetime, Seen]]:
    """Return each brand's negatives among all, of what `brand_counts` gave."""
    return {
        (brand, SHARE): {
            at: (counts.get((brand, NEGATIVE), {}).get(at, 0), mentions)
            for at, mentions in each.items()
        }
        for (brand, kind), each in counts.items()
        if kind == ALL
    }


def weighed_counts(
    session: Session, brand_ids: Iterable[int], since: datetime, until: datetime
) -> dict[tuple[int, str], dict[datetime, int]]:
    """Return negative mentions by reach, and those with words of risk, by brand and kind."""
    bucket: Any = _bucket(session)
    reach = case(*((Author.followers >= least, weight) for least, weight in REACH_WEIGHTS), else_=1)
    is_risk = case((Mention.priority == _RISK_PRIORITY, 1), else_=0)
    found: dict[tuple[int, str], dict[datetime, int]] = defaultdict(dict)
    for some in _in_turn(brand_ids):
        query = (
            select(Mention.brand_id, bucket, func.sum(reach), func.sum(is_risk))
            .outerjoin(Author, Author.id == Mention.author_id)
            .where(
                Mention.brand_id.in_(some),
                _IS_NEGATIVE,
                Mention.published_at >= since,
                Mention.published_at < until,
            )
            .group_by(Mention.brand_id, bucket)
        )
        for brand_id, number, reached, risky in session.execute(query):
            at = datetime.fromtimestamp(int(number) * STEP_S, UTC)
            found[brand_id, REACH][at] = int(reached)
            if risky:
                found[brand_id, RISK][at] = int(risky)
    return dict(found)


def topic_counts(
    session: Session,
    brand_ids: Iterable[int],
    since: datetime,
    until: datetime,
    *,
    topic: str | None = None,
) -> dict[tuple[int, str], dict[datetime, int]]:
    """Return negative mentions by brand and topic, over the index of negatives.

    Args:
        session: The transaction.
        brand_ids: The brands.
        since: The first bucket.
        until: End, not included.
        topic: Only this topic.

    """
    bucket: Any = _bucket(session)
    found: dict[tuple[int, str], dict[datetime, int]] = defaultdict(dict)
    for some in _in_turn(brand_ids):
        query = (
            select(Mention.brand_id, Mention.topic, bucket, func.count())
            .where(
                Mention.brand_id.in_(some),
                _IS_NEGATIVE,
                Mention.published_at >= since,
                Mention.published_at < until,
                Mention.topic.is_not(None) if topic is None else Mention.topic == topic,
            )
            .group_by(Mention.brand_id, Mention.topic, bucket)
        )
        for brand_id, name, number, mentions in session.execute(query):
            at = datetime.fromtimestamp(int(number) * STEP_S, UTC)
            found[brand_id, name][at] = mentions
    return dict(found)


def first_bucket(session: Session, brand_id: int) -> datetime | None:
    """Return when the brand's stored history begins, None where there is none."""
    return session.scalar(
        select(Volume.bucket_at)
        .where(Volume.brand_id == brand_id, Volume.grain_s == STEP_S)
        .order_by(Volume.bucket_at)
        .limit(1)
    )


def unfinished_brands(session: Session, before: datetime) -> set[int]:
    """Return brands with mentions from before that time that wait to be judged or given a topic.

    Their stored counts are not yet what they will be.
    """
    return set(
        session.scalars(
            select(Mention.brand_id)
            .where(
                Mention.pending.is_not(None),
                Mention.label.is_(None) | Mention.topic.is_(None),
                Mention.published_at < before,
            )
            .distinct()
        )
    )


def buckets(since: datetime, until: datetime) -> Iterable[datetime]:
    """Give the beginning of each bucket from `since` to `until`, the end not included."""
    at = since
    while at < until:
        yield at
        at += timedelta(seconds=STEP_S)


def _in_turn(brand_ids: Iterable[int]) -> Iterable[list[int]]:
    brands = sorted(brand_ids)
    for first in range(0, len(brands), _BRANDS_AT_ONCE):
        yield brands[first : first + _BRANDS_AT_ONCE]


def _bucket(session: Session) -> Any:  # noqa: ANN401 - an expression
    """Return the number of the bucket since 1970 that a mention is in, as SQL."""
    if is_sqlite(session):
        return cast(func.strftime("%s", Mention.published_at), Integer) // _STEP
    return func.floor(extract("epoch", Mention.published_at) / _STEP)
