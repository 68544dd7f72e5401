"""The present burst index, as the stored detectors give it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

import orjson
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from sentiment.burst import BurstReading, Count
from sentiment.burst_counts import NEGATIVE
from sentiment.burst_expected import surprise
from sentiment.burst_series import load_detector
from sentiment.models import BurstState

#: An older index says nothing about now: a detector that is behind, or nobody's.
STALE_AFTER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Burst:
    """How big a burst of negative mentions is.

    Args:
        index: 1.0 is as big as the biggest burst of an ordinary day.
        seen: Mentions in the window that surprises most.
        expected: How many were expected in it.
        window_s: The window's length.
        is_known: Whether anybody listened in the last closed bucket.

    """

    index: float
    seen: float
    expected: float
    window_s: int
    is_known: bool


def stronger(one: Burst, other: Burst) -> Burst:
    """Return the higher index of two detectors, with the counts that show the burst best.

    A day's sum may surprise the slow detector most and yet tell a reader little.
    """
    higher = one if one.index >= other.index else other
    shown = max(one, other, key=lambda burst: surprise(burst.seen, burst.expected))
    return replace(shown, index=higher.index, is_known=one.is_known and other.is_known)


def burst_of(reading: BurstReading) -> Burst:
    """Return what a detector's reading says."""
    return Burst(
        reading.index,
        reading.seen,
        reading.expected,
        reading.window_s,
        is_known=reading.is_known,
    )


def high_bursts(session: Session, now: datetime) -> dict[int, dict[str, Burst]]:
    """Return the bursts of index 0.5 and above, by brand and topic; `` is the whole brand.

    Only detectors that have seen a whole day are asked; of the fast and the slow one the
    higher index is taken.
    """
    # A literal, because SQLite uses a partial index only where it can see the condition.
    return _bursts(session, now, BurstState.burst_index >= literal_column("0.5"))


def bursts_of(session: Session, brand_id: int, now: datetime) -> dict[str, Burst]:
    """Return one brand's bursts by topic, however small."""
    return _bursts(session, now, BurstState.brand_id == brand_id).get(brand_id, {})


def _bursts(session: Session, now: datetime, condition: object) -> dict[int, dict[str, Burst]]:
    found: dict[int, dict[str, Burst]] = defaultdict(dict)
    rows = session.execute(
        select(
            BurstState.brand_id,
            BurstState.topic,
            BurstState.burst_index,
            BurstState.seen,
            BurstState.expected,
            BurstState.window_s,
            BurstState.is_known,
        ).where(
            condition,  # type: ignore[arg-type]
            BurstState.kind == NEGATIVE,
            BurstState.is_ready,
            BurstState.stepped_to >= now - STALE_AFTER,
        )
    )
    for brand_id, topic, index, seen, wanted, window_s, is_known in rows:
        burst = Burst(index, seen, wanted, window_s, is_known=is_known)
        other = found[brand_id].get(topic)
        found[brand_id][topic] = burst if other is None else stronger(burst, other)
    return dict(found)


def rest_burst(
    session: Session,
    brand_id: int,
    topic: str,
    *,
    since: datetime | None,
    without: Mapping[str, datetime | None],
    now: datetime,
) -> Burst | None:
    """Return how big a burst is without what has been dealt with already.

    Args:
        session: The transaction.
        brand_id: The brand.
        topic: The topic, or `` for the whole brand.
        since: Count only what came then or later: what was before is settled.
        without: Topics whose counts are taken away: all of them, or those before a time.
        now: The present.

    """
    states = {
        (row.topic, row.config): row
        for row in session.scalars(
            select(BurstState).where(
                BurstState.brand_id == brand_id,
                BurstState.topic.in_([topic, *without]),
                BurstState.kind == NEGATIVE,
                BurstState.stepped_to >= now - STALE_AFTER,
            )
        )
    }
    found: list[Burst] = []
    for (name, config), row in states.items():
        # Topics have a fast detector only, which alone can be taken from the brand's.
        if name != topic or not row.is_ready or (without and config != "default"):
            continue
        detector = load_detector(config, row.state)
        counts = detector.counts(orjson.loads(row.coming), since=since)
        for other, until in without.items():
            state = states.get((other, config))
            if state is None:
                return None
            dealt_with = _counts_before(state, since, until)
            counts = tuple(
                (max(seen - less, 0.0), max(expected - fewer, 0.0))
                for (seen, expected), (less, fewer) in zip(counts, dealt_with, strict=True)
            )
        found.append(burst_of(detector.judge(counts)))
    return reduce(stronger, found) if found else None


def _counts_before(
    row: BurstState, since: datetime | None, until: datetime | None
) -> tuple[Count, ...]:
    """Return a topic's counts in each window that are from between two times."""
    detector, coming = load_detector(row.config, row.state), orjson.loads(row.coming)
    whole = detector.counts(coming, since=since)
    if until is None:
        return whole
    after = detector.counts(coming, since=until if since is None else max(since, until))
    return tuple(
        (seen - later, expected - then)
        for (seen, expected), (later, then) in zip(whole, after, strict=True)
    )
