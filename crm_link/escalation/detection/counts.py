"""Counting mentions by publication time: what the detector looks at.

A first, cheap look at the roll-up of all brands at once tells whose counts could reach any
threshold; only those brands' mentions are counted exactly, by topic and platform, over an
index. Windows end at the present, so that an import of old posts counts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Integer, case, cast, func, literal_column, select
from sqlalchemy.orm import Session

from crm_link.escalation.protocol import Condition, EscalationProtocol
from crm_link.escalation.rules import Counted, Tally
from listener.models import Author, Mention
from sentiment.models import Volume
from sentiment.types import Label

#: The roll-up's finer bucket, in seconds.
GRAIN_S = 300

#: Platforms' clocks may be ahead of ours by so much; what is later is wrong and not counted.
CLOCK_SKEW = timedelta(minutes=2)

#: Top posts of an alert.
TOP_POSTS = 3

# As literals, because SQLite uses a partial index only where it can see the condition.
_IS_NEGATIVE = Mention.label == literal_column("'negative'")


@dataclass(frozen=True, slots=True)
class Cell:
    """The mentions of one topic on one platform in a window."""

    topic: str
    platform: str
    negatives: int
    mentions: int
    reach: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Upper:
    """The most that a brand's mentions in a window can be, by the roll-up."""

    negatives: int
    mentions: int


def upper_bounds(
    session: Session, windows: Mapping[int, set[timedelta]], now: datetime
) -> dict[tuple[int, timedelta], Upper]:
    """Return for each brand and window the most that can be in it; absent means nothing."""
    longest = max((window for each in windows.values() for window in each), default=timedelta())
    grain = timedelta(seconds=GRAIN_S)
    rows = session.execute(
        select(Volume.brand_id, Volume.bucket_at, Volume.label, func.sum(Volume.mentions))
        .where(
            Volume.grain_s == GRAIN_S,
            Volume.bucket_at > now - longest - grain,
            Volume.bucket_at <= now + CLOCK_SKEW,
        )
        .group_by(Volume.brand_id, Volume.bucket_at, Volume.label)
    )
    sums: dict[tuple[int, timedelta], list[int]] = defaultdict(lambda: [0, 0])
    for brand_id, bucket_at, label, mentions in rows:
        for window in windows.get(brand_id, ()):
            if bucket_at > now - window - grain:
                sums[brand_id, window][0] += int(mentions) if label == Label.NEGATIVE else 0
                sums[brand_id, window][1] += int(mentions)
    return {key: Upper(negatives, mentions) for key, (negatives, mentions) in sums.items()}


def could_hold(condition: Condition, upper: Upper | None, index: float = 0.0) -> bool:
    """Say whether counts up to `upper` and indexes up to `index` can reach the condition."""
    return (
        upper is not None
        and index >= (condition.index_gte or 0)
        and upper.negatives >= condition.least_negatives
        and upper.mentions >= (condition.mentions_gte or 0)
    )


def count_cells(
    session: Session,
    brand_id: int,
    since: datetime,
    now: datetime,
    *,
    with_totals: bool,
    with_reach: bool = False,
    topic: str | None = None,
) -> list[Cell]:
    """Return what was published after `since`, by topic and platform.

    Args:
        session: The transaction.
        brand_id: The brand.
        since: Beginning of the window.
        now: Its end.
        with_totals: Count what is not negative too; else only the index of negatives is read.
        with_reach: Add up the followers of the negative mentions' authors too; else it is 0.
        topic: Only this topic.

    """
    negatives = func.sum(case((_IS_NEGATIVE, 1), else_=0))
    negative_at = case((_IS_NEGATIVE, Mention.published_at))
    # A sum of followers that no platform told is NULL, and PostgreSQL's has decimals.
    reach = cast(func.coalesce(func.sum(case((_IS_NEGATIVE, Author.followers))), 0), BigInteger)
    query = (
        select(
            Mention.topic,
            Mention.platform,
            negatives,
            func.count(),
            reach if with_reach else literal_column("0", Integer),
            func.min(negative_at),
            func.max(negative_at),
        )
        .where(
            Mention.brand_id == brand_id,
            Mention.published_at > since,
            Mention.published_at <= now + CLOCK_SKEW,
            Mention.topic.is_not(None) if topic is None else Mention.topic == topic,
        )
        .group_by(Mention.topic, Mention.platform)
    )
    if not with_totals:
        query = query.where(_IS_NEGATIVE)
    if with_reach:
        query = query.outerjoin(Author, Author.id == Mention.author_id)
    return [Cell(*row) for row in session.execute(query)]


def tally_of(cells: Iterable[Cell]) -> Tally:
    """Return the cells as the rules take them."""
    return {
        (cell.topic, cell.platform): Counted(cell.negatives, cell.mentions, cell.reach)
        for cell in cells
    }


def windows_of(protocols: Iterable[EscalationProtocol]) -> set[timedelta]:
    """Return all windows that the protocols look at."""
    return {condition.window for protocol in protocols for condition in protocol.conditions}


def needs_totals(protocols: Iterable[EscalationProtocol], window: timedelta) -> bool:
    """Say whether a condition on this window counts what is not negative."""
    return any(
        condition.needs_totals
        for protocol in protocols
        for condition in protocol.conditions
        if condition.window == window
    )


def needs_reach(protocols: Iterable[EscalationProtocol], window: timedelta) -> bool:
    """Say whether a condition on this window asks how many people may see the negatives."""
    return any(
        condition.reach_gte is not None
        for protocol in protocols
        for condition in protocol.conditions
        if condition.window == window
    )


def top_posts(
    session: Session, brand_id: int, topics: Sequence[str], since: datetime, now: datetime
) -> list[int]:
    """Return the ids of the negative mentions that reach most people, the widest first."""
    reach: Any = (
        func.coalesce(Author.followers, 0)
        + 10 * func.coalesce(Mention.reposts, 0)
        + func.coalesce(Mention.likes, 0)
        + 10 * Mention.fold_count
    )
    return list(
        session.scalars(
            select(Mention.id)
            .outerjoin(Author, Author.id == Mention.author_id)
            .where(
                Mention.brand_id == brand_id,
                _IS_NEGATIVE,
                Mention.published_at > since,
                Mention.published_at <= now + CLOCK_SKEW,
                Mention.topic.in_(topics),
                Mention.folded_into_id.is_(None),
                Mention.deleted_at.is_(None),
            )
            .order_by(reach.desc(), Mention.id)
            .limit(TOP_POSTS)
        )
    )
