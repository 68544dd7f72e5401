"""Whether we see what is said: the health of each source, and how much of a time is covered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from listener.collection_models import Collection, QuarantinedItem
from listener.models import Brand, Gap, Source, SourceState
from listener.plan import FIRST_LOOK_BACK
from listener.types import GapKind

#: How far a source's own past reaches, by which its silence is judged.
PAST = timedelta(days=14)

#: Collections with new posts by which silence is judged; below the least nothing is said.
LEAST_PAST, MOST_PAST = 20, 500

#: A source is silent after this many times its longest pause of the past.
SILENT_AFTER_PAUSES = 2.0

#: Shorter silences are never pointed out.
SHORTEST_SILENCE = timedelta(minutes=30)

#: A source counts as read up to now while its last success is younger than this many
#: intervals, and at least `SLACK`.
SLACK_INTERVALS = 3
SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source is doing.

    Args:
        newest_post_age: Age of the newest post that it ever gave; None if it gave none.
        open_gaps: Gaps that nobody has read again.
        quarantined: Items that were not understood, ever.
        posts_24h: New mentions in the last 24 hours.
        is_late: Whether its last success is longer ago than it should be.
        is_silent: Whether it has given nothing for longer than its own past explains, so
            that an empty answer is not taken for success for ever.

    """

    source_id: int
    brand_key: str
    name: str
    platform: str
    state: SourceState
    every_s: float
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    next_due_at: datetime | None
    newest_post_at: datetime | None
    newest_post_age: timedelta | None
    open_gaps: int
    quarantined: int
    posts_24h: int
    failures: int
    last_error: str | None
    is_late: bool
    is_silent: bool


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A stretch of time in which a source may have missed posts."""

    id: int
    source_id: int
    source_name: str
    platform: str
    brand_key: str
    kind: GapKind
    from_at: datetime | None
    to_at: datetime | None
    detail: str
    found_at: datetime
    filled_at: datetime | None


def source_health(session: Session, now: datetime) -> list[SourceHealth]:
    """Return how each active source is doing, by brand and name."""
    sources = session.execute(
        select(Source, Brand.key)
        .join(Brand, Brand.id == Source.brand_id)
        .where(Source.is_active, Brand.is_active)
        .order_by(Brand.key, Source.name)
    ).all()
    gaps = _counts(session, Gap.source_id, Gap.filled_at.is_(None))
    rejects = _counts(session, QuarantinedItem.source_id, QuarantinedItem.source_id.is_not(None))
    return [
        SourceHealth(
            source_id=source.id,
            brand_key=brand_key,
            name=source.name,
            platform=source.platform,
            state=source.state,
            every_s=source.every_s,
            last_attempt_at=source.last_attempt_at,
            last_success_at=source.last_success_at,
            next_due_at=source.next_due_at,
            newest_post_at=source.newest_post_at,
            newest_post_age=now - source.newest_post_at if source.newest_post_at else None,
            open_gaps=gaps.get(source.id, 0),
            quarantined=rejects.get(source.id, 0),
            posts_24h=_posts_since(session, source.id, now - timedelta(days=1)),
            failures=source.failures,
            last_error=source.last_error,
            is_late=now - (source.last_success_at or source.created_at) > _slack(source),
            is_silent=is_silent(_times_of_new_posts(session, source.id, now), now),
        )
        for source, brand_key in sources
    ]


def is_silent(times: Sequence[datetime], now: datetime) -> bool:
    """Say whether nothing new has come for longer than the past explains.

    Args:
        times: When something new came, newest first.
        now: The present.

    """
    if len(times) < LEAST_PAST:
        return False
    longest = max(later - earlier for later, earlier in pairwise(times))
    return now - times[0] > max(longest * SILENT_AFTER_PAUSES, SHORTEST_SILENCE)


def find_gaps(
    session: Session,
    *,
    brand_id: int | None = None,
    source_id: int | None = None,
    open_only: bool = True,
    limit: int = 100,
) -> list[OpenGap]:
    """Return gaps, the last found first."""
    query = (
        select(Gap, Source.name, Source.platform, Brand.key)
        .join(Source, Source.id == Gap.source_id)
        .join(Brand, Brand.id == Source.brand_id)
        .order_by(Gap.found_at.desc(), Gap.id.desc())
        .limit(limit)
    )
    if brand_id is not None:
        query = query.where(Source.brand_id == brand_id)
    if source_id is not None:
        query = query.where(Gap.source_id == source_id)
    if open_only:
        query = query.where(Gap.filled_at.is_(None))
    return [
        OpenGap(
            id=gap.id,
            source_id=gap.source_id,
            source_name=name,
            platform=platform,
            brand_key=brand_key,
            kind=gap.kind,
            from_at=gap.from_at,
            to_at=gap.to_at,
            detail=gap.detail,
            found_at=gap.found_at,
            filled_at=gap.filled_at,
        )
        for gap, name, platform, brand_key in session.execute(query)
    ]


def coverage(session: Session, brand_id: int, from_at: datetime, to_at: datetime) -> float | None:
    """Return the share of a time that the brand's sources have read, 0 to 1.

    Not read are gaps that are open, the time since a source's last success where that is
    longer ago than it should be, and the time before its first run looked back. The mean
    over the active sources; None where there are none or the time is empty.
    """
    if to_at <= from_at:
        return None
    sources = session.scalars(
        select(Source).where(Source.brand_id == brand_id, Source.is_active)
    ).all()
    if not sources:
        return None
    open_gaps: dict[int, list[Gap]] = defaultdict(list)
    for gap in session.scalars(
        select(Gap).where(
            Gap.source_id.in_([source.id for source in sources]),
            Gap.filled_at.is_(None),
            or_(Gap.from_at.is_(None), Gap.from_at < to_at),
            or_(Gap.to_at.is_(None), Gap.to_at > from_at),
        )
    ):
        open_gaps[gap.source_id].append(gap)
    whole = (to_at - from_at).total_seconds()
    shares = []
    for source in sources:
        missing = [(from_at, source.created_at - FIRST_LOOK_BACK)]
        read_until = source.last_success_at or source.created_at - FIRST_LOOK_BACK
        if to_at - read_until > _slack(source):
            missing.append((read_until, to_at))
        missing += [
            (gap.from_at or from_at, gap.to_at or gap.found_at) for gap in open_gaps[source.id]
        ]
        shares.append(1 - _length_s(missing, from_at, to_at) / whole)
    return sum(shares) / len(shares)


def _length_s(
    stretches: Iterable[tuple[datetime, datetime]], from_at: datetime, to_at: datetime
) -> float:
    """Return the seconds between two times that at least one stretch covers."""
    total, reached = 0.0, from_at
    for start, end in sorted(stretches):
        begin, finish = max(start, reached), min(end, to_at)
        if finish > begin:
            total += (finish - begin).total_seconds()
            reached = finish
    return total


def _slack(source: Source) -> timedelta:
    return max(SLACK, timedelta(seconds=source.every_s * SLACK_INTERVALS))


def _counts(session: Session, column: object, condition: object) -> dict[int, int]:
    rows = session.execute(
        select(column, func.count()).where(condition).group_by(column)  # type: ignore[call-overload]
    )
    return {row[0]: row[1] for row in rows}


def _posts_since(session: Session, source_id: int, since: datetime) -> int:
    return (
        session.scalar(
            select(func.sum(Collection.new)).where(
                Collection.source_id == source_id, Collection.started_at >= since
            )
        )
        or 0
    )


def _times_of_new_posts(session: Session, source_id: int, now: datetime) -> Sequence[datetime]:
    return session.scalars(
        select(Collection.started_at)
        .where(
            Collection.source_id == source_id,
            Collection.started_at >= now - PAST,
            Collection.new > 0,
        )
        .order_by(Collection.started_at.desc())
        .limit(MOST_PAST)
    ).all()
