"""Replaying a brand's stored history through the detectors that run in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy.orm import Session

from sentiment.bursts.budget import Choice, alerts_at, choose_index, try_index
from sentiment.bursts.config import BurstConfig
from sentiment.bursts.counts import (
    ALL,
    NEGATIVE,
    Counts,
    brand_counts,
    buckets,
    first_bucket,
    share_counts,
    topic_counts,
    weighed_counts,
)
from sentiment.bursts.listening import STEP_S
from sentiment.bursts.readings import Burst, burst_of, stronger
from sentiment.bursts.series import WHOLE_BRAND, Series, brand_series, make_detector, topic_series
from sentiment.bursts.stored import HISTORY
from sentiment.rollups import bucket_of

#: Thresholds that are compared.
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)

#: False alarms a week that are compared.
BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0)

#: Topics that are replayed: those with most negatives, because each takes as long as the brand.
MOST_TOPICS = 20

#: Points of the drawn index: the highest of each hour.
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert that there would have been.

    Args:
        at: End of the bucket that raised it.
        index: The burst index.
        seen: Negative mentions in the window that surprised most.
        expected: How many were expected in it.
        window_s: The window's length.
        topic: The topic whose series it was; empty for the whole brand.
        is_new: Whether it was the first of its incident; else it had doubled. Only the first
            counts for a budget.

    """

    at: datetime
    index: float
    seen: float
    expected: float
    window_s: int
    topic: str = ""
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class PastDay:
    """One day of the replay: its negative mentions, and its highest index."""

    day: date
    negatives: int
    highest_index: float


@dataclass(frozen=True, slots=True)
class PastHour:
    """One hour of the replay: its negative and all mentions, and its highest index."""

    at: datetime
    negatives: int
    mentions: int
    highest_index: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What a false-alarm budget would have chosen, and what that would have alerted."""

    per_week: float
    alert_index: float
    alerts: tuple[PastAlert, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the detectors would have said about a stretch of stored history.

    Args:
        since: When the replay's first day of judgement began: the detectors had seen one.
        until: Its end.
        alert_index: The threshold that `alerts` are of.
        alerts: The alerts: one for each incident, and another each time that it doubled.
        choices: Other thresholds, rising.
        budgets: What other false-alarm budgets would choose, the tightest first.
        days: The days, oldest first.
        hours: The hours, oldest first.

    """

    since: datetime
    until: datetime
    alert_index: float
    alerts: tuple[PastAlert, ...]
    choices: tuple[Choice, ...]
    budgets: tuple[Budget, ...]
    days: tuple[PastDay, ...]
    hours: tuple[PastHour, ...]


#: When which topic's burst was the strongest.
_History = list[tuple[datetime, str, Burst]]


def backtest(
    session: Session,
    brand_id: int,
    *,
    until: datetime,
    length: timedelta,
    alert_index: float = BurstConfig().alert_index,
    per_week: float | None = None,
) -> Backtest:
    """Replay a brand's mentions; each step knows only those before it.

    The counts are those that are stored now: posts that came late are among them. Of all
    series, each weighed, the highest index counts, as in an incident; an alert is followed by
    a day of quiet unless the index doubles.

    Args:
        session: The transaction.
        brand_id: The brand.
        until: The end.
        length: How far back; up to ten days before that are learned from.
        alert_index: The threshold.
        per_week: Choose the lowest threshold with at most so many alerts a week instead.

    """
    end = bucket_of(until, STEP_S)
    first = max(first_bucket(session, brand_id) or end, bucket_of(end - length - HISTORY, STEP_S))
    counts = _read(session, brand_id, first, end)
    history = _replay(counts, first, end, judged_from=end - length)
    path = [(at, burst.index) for at, _, burst in history]
    if per_week is not None:
        alert_index = choose_index(path, per_week, STEP_S)
    hours = _hours(history, counts)
    chosen = {one: choose_index(path, one, STEP_S) for one in sorted({*BUDGETS, per_week or 1.0})}
    return Backtest(
        since=history[0][0] - timedelta(seconds=STEP_S) if history else end,
        until=end,
        alert_index=alert_index,
        alerts=_alerts(history, alert_index),
        choices=tuple(
            try_index(path, threshold, STEP_S) for threshold in sorted({*THRESHOLDS, alert_index})
        ),
        budgets=tuple(Budget(one, index, _alerts(history, index)) for one, index in chosen.items()),
        days=_days(hours),
        hours=hours,
    )


def _read(
    session: Session, brand_id: int, first: datetime, end: datetime
) -> dict[Series, Mapping[datetime, Any]]:
    """Return the counts of every series that production would follow."""
    brand = brand_counts(session, first, end, brand_id=brand_id)
    by_kind: dict[tuple[int, str], Counts] = {
        **brand,
        **share_counts(brand),
        **weighed_counts(session, [brand_id], first, end),
    }
    topics = topic_counts(session, [brand_id], first, end)
    biggest = sorted(topics, key=lambda key: -sum(topics[key].values()))[:MOST_TOPICS]
    return {
        **{one: by_kind.get((brand_id, one.kind), {}) for one in brand_series(brand_id)},
        **{topic_series(brand_id, topic): topics[_, topic] for _, topic in biggest},
    }


def _replay(
    counts: Mapping[Series, Mapping[datetime, Any]],
    first: datetime,
    end: datetime,
    *,
    judged_from: datetime,
) -> _History:
    alerting = [one for one in counts if one.kind != ALL]
    detectors = {one: make_detector(one.config) for one in alerting}
    step = timedelta(seconds=STEP_S)
    history: _History = []
    for at in buckets(first, end):
        found: dict[str, Burst] = {}
        for series, detector in detectors.items():
            reading = detector.step(counts[series].get(at, series.nothing), at)
            if reading.is_ready and at >= judged_from:
                burst = burst_of(reading, series[1:])
                other = found.get(series.topic)
                found[series.topic] = burst if other is None else stronger(burst, other)
        if found:
            topic = max(found, key=lambda name: (found[name].index, name == WHOLE_BRAND))
            history.append((at + step, topic, found[topic]))
    return history


def _hours(
    history: _History, counts: Mapping[Series, Mapping[datetime, Any]]
) -> tuple[PastHour, ...]:
    of_kind = {series.kind: each for series, each in counts.items() if not series.topic}
    step = timedelta(seconds=STEP_S)
    found: dict[datetime, PastHour] = {}
    for end, _, burst in history:
        at = end - step
        hour = bucket_of(at, int(HOUR.total_seconds()))
        known = found.get(hour, PastHour(hour, 0, 0, 0.0))
        found[hour] = PastHour(
            hour,
            known.negatives + of_kind[NEGATIVE].get(at, 0),
            known.mentions + of_kind[ALL].get(at, 0),
            max(known.highest_index, burst.index),
        )
    return tuple(found.values())


def _days(hours: Sequence[PastHour]) -> tuple[PastDay, ...]:
    by_day: dict[date, list[PastHour]] = {}
    for hour in hours:
        by_day.setdefault(hour.at.date(), []).append(hour)
    return tuple(
        PastDay(
            day,
            sum(hour.negatives for hour in each),
            reduce(max, (hour.highest_index for hour in each)),
        )
        for day, each in by_day.items()
    )


def _alerts(history: _History, alert_index: float) -> tuple[PastAlert, ...]:
    told = dict(alerts_at([(at, burst.index) for at, _, burst in history], alert_index))
    return tuple(
        PastAlert(
            at, burst.index, burst.seen, burst.expected, burst.window_s, topic, is_new=told[at]
        )
        for at, topic, burst in history
        if at in told
    )
