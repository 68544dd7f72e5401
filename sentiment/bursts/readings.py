"""The present burst index, as the stored detectors give it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from sentiment.burst import BurstReading, Count
from sentiment.bursts.counts import ALL, NEGATIVE, REACH, SHARE
from sentiment.bursts.expected import surprise
from sentiment.bursts.series import NOTABLE_INDEX, load_coming, load_detector, weight_of, windows_of
from sentiment.models import BurstState

#: Detectors whose every window is one of a topic's, too.
_WITH_TOPICS = ("default", "attack")

#: An older index says nothing about now: a detector that is behind, or nobody's.
STALE_AFTER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Burst:
    """How big a burst of negative mentions is.

    Args:
        index: 1.0 is as big as the biggest burst of an ordinary day, weighed so that all
            series of a brand together keep one budget of false alarms.
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


def burst_of(reading: BurstReading, series: tuple[str, str, str]) -> Burst:
    """Return what a detector's reading says; `series` is its topic, kind and configuration."""
    return _weighed(
        series,
        Burst(
            reading.index,
            reading.seen,
            reading.expected,
            reading.window_s,
            is_known=reading.is_known,
        ),
    )


def _weighed(series: tuple[str, str, str], burst: Burst) -> Burst:
    """Give a series' index its weight; reach is no count that people could be shown."""
    index = weight_of(*series) * burst.index
    if series[1] == REACH:
        return replace(burst, index=index, seen=0.0, expected=0.0)
    return replace(burst, index=index)


def high_bursts(session: Session, now: datetime) -> dict[int, dict[str, Burst]]:
    """Return the bursts of index 0.5 and above, by brand and topic; `` is the whole brand.

    Only detectors that have seen a whole day are asked; of a brand's several the highest
    index is taken, each weighed.
    """
    # A literal, because SQLite uses a partial index only where it can see the condition.
    found = _bursts(session, now, BurstState.burst_index >= literal_column("0.5"))
    return {
        brand_id: high
        for brand_id, each in found.items()
        if (high := {topic: one for topic, one in each.items() if one.index >= NOTABLE_INDEX})
    }


def bursts_of(session: Session, brand_id: int, now: datetime) -> dict[str, Burst]:
    """Return one brand's bursts by topic, however small."""
    return _bursts(session, now, BurstState.brand_id == brand_id).get(brand_id, {})


def _bursts(session: Session, now: datetime, condition: object) -> dict[int, dict[str, Burst]]:
    found: dict[int, dict[str, Burst]] = defaultdict(dict)
    rows = session.execute(
        select(
            BurstState.brand_id,
            BurstState.topic,
            BurstState.kind,
            BurstState.config,
            BurstState.burst_index,
            BurstState.seen,
            BurstState.expected,
            BurstState.window_s,
            BurstState.is_known,
        ).where(
            condition,  # type: ignore[arg-type]
            BurstState.kind != ALL,
            BurstState.is_ready,
            BurstState.stepped_to >= now - STALE_AFTER,
        )
    )
    for brand_id, topic, kind, config, index, seen, wanted, window_s, is_known in rows:
        burst = _weighed(
            (topic, kind, config), Burst(index, seen, wanted, window_s, is_known=is_known)
        )
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
                BurstState.kind.in_((NEGATIVE, SHARE)),
                BurstState.stepped_to >= now - STALE_AFTER,
            )
        )
    }
    if any((other, "default") not in states for other in without):
        return None
    found: list[Burst] = []
    for (name, config), row in states.items():
        # Topics have a fast detector only, which has no windows of a day to take away.
        if name != topic or not row.is_ready or (without and config not in _WITH_TOPICS):
            continue
        detector: Any = load_detector(config, row.state)
        counts = detector.counts(load_coming(row.coming), since=since)
        for other, until in without.items():
            dealt_with = _counts_before(states[other, "default"], since, until)
            counts = _less(counts, dealt_with, config)
        found.append(burst_of(detector.judge(counts), (name, row.kind, config)))
    return reduce(stronger, found) if found else None


def _less(
    counts: Sequence[tuple[float, ...]], dealt_with: Mapping[int, Count], config: str
) -> list[tuple[float, ...]]:
    """Take a topic's posts away; of what is left the same share is usual as before."""
    found = []
    for window, (seen, expected, *of_all) in zip(windows_of(config), counts, strict=True):
        less, fewer = dealt_with[window]
        rest: tuple[float, ...] = ()
        if of_all:
            mentions, usual = of_all
            left = max(mentions - less, 0.0)
            rest = (left, usual * left / mentions if mentions else 0.0)
        found.append((max(seen - less, 0.0), max(expected - fewer, 0.0), *rest))
    return found


def _counts_before(
    row: BurstState, since: datetime | None, until: datetime | None
) -> dict[int, Count]:
    """Return a topic's counts that are from between two times, by window in seconds."""
    detector: Any = load_detector(row.config, row.state)
    coming = load_coming(row.coming)
    whole: tuple[Count, ...] = detector.counts(coming, since=since)
    windows = windows_of(row.config)
    if until is None:
        return dict(zip(windows, whole, strict=True))
    after = detector.counts(coming, since=until if since is None else max(since, until))
    return {
        window: (seen - later, expected - then)
        for window, (seen, expected), (later, then) in zip(windows, whole, after, strict=True)
    }
