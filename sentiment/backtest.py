"""Replaying a brand's stored history through the detectors that run in production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

from sqlalchemy.orm import Session

from sentiment.burst import BurstDetector
from sentiment.burst_config import DAY_S, BurstConfig
from sentiment.burst_counts import NEGATIVE, brand_counts, buckets, first_bucket
from sentiment.burst_listening import STEP_S
from sentiment.burst_readings import Burst, burst_of, stronger
from sentiment.burst_rules import OnePerIncident
from sentiment.burst_series import CONFIGS
from sentiment.bursts import HISTORY
from sentiment.rollups import bucket_of

#: Thresholds that are compared.
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)

#: A threshold for a number of alerts a week is looked for in these steps, up to this index.
CHOICE_STEP, HIGHEST_CHOICE = 0.05, 20.0

WEEK_S = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert that there would have been.

    Args:
        at: End of the bucket that raised it.
        index: The burst index.
        seen: Negative mentions in the window that surprised most.
        expected: How many were expected in it.
        window_s: The window's length.

    """

    at: datetime
    index: float
    seen: float
    expected: float
    window_s: int


@dataclass(frozen=True, slots=True)
class PastDay:
    """One day of the replay: its negative mentions, and its highest index."""

    day: date
    negatives: int
    highest_index: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What a threshold would have done."""

    alert_index: float
    alerts: int
    per_week: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the detectors would have said about a stretch of stored history.

    Args:
        since: When the replay's first day of judgement began: the detectors had seen one.
        until: Its end.
        alert_index: The threshold that `alerts` are of.
        alerts: The alerts: one for each incident, and another each time that it doubled.
        choices: Other thresholds, rising.
        days: The days, oldest first.

    """

    since: datetime
    until: datetime
    alert_index: float
    alerts: tuple[PastAlert, ...]
    choices: tuple[Choice, ...]
    days: tuple[PastDay, ...]


def backtest(
    session: Session,
    brand_id: int,
    *,
    until: datetime,
    length: timedelta,
    alert_index: float = BurstConfig().alert_index,
    per_week: float | None = None,
) -> Backtest:
    """Replay a brand's negative mentions; each step knows only those before it.

    The counts are those that are stored now: posts that came late are among them. Of the fast
    and the slow detector the higher index counts, as in an incident; an alert is followed by
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
    counts = brand_counts(session, first, end, brand_id=brand_id).get((brand_id, NEGATIVE), {})
    detectors = [BurstDetector(config) for config in CONFIGS.values()]
    history: list[tuple[datetime, Burst]] = []
    by_day: dict[date, PastDay] = {}
    for at in buckets(first, end):
        seen = counts.get(at, 0)
        readings = [detector.step(seen, at) for detector in detectors]
        if at < end - length or not any(reading.is_ready for reading in readings):
            continue
        highest = reduce(stronger, [burst_of(reading) for reading in readings if reading.is_ready])
        history.append((at + timedelta(seconds=STEP_S), highest))
        day = by_day.get(at.date(), PastDay(at.date(), 0, 0.0))
        by_day[at.date()] = PastDay(
            at.date(), day.negatives + seen, max(day.highest_index, highest.index)
        )
    if per_week is not None:
        alert_index = _choose(history, per_week)
    return Backtest(
        since=history[0][0] - timedelta(seconds=STEP_S) if history else end,
        until=end,
        alert_index=alert_index,
        alerts=_alerts(history, alert_index),
        choices=tuple(_try(history, threshold) for threshold in sorted({*THRESHOLDS, alert_index})),
        days=tuple(by_day.values()),
    )


def _alerts(history: Sequence[tuple[datetime, Burst]], alert_index: float) -> tuple[PastAlert, ...]:
    config = BurstConfig()
    rule = OnePerIncident(arming=alert_index, quiet_s=config.quiet_s, growth=config.growth)
    return tuple(
        PastAlert(at, burst.index, burst.seen, burst.expected, burst.window_s)
        for at, burst in history
        if rule.lets_through(burst.index, at.timestamp())
    )


def _try(history: Sequence[tuple[datetime, Burst]], alert_index: float) -> Choice:
    alerts = len(_alerts(history, alert_index))
    return Choice(alert_index, alerts, alerts * WEEK_S / max(len(history) * STEP_S, STEP_S))


def _choose(history: Sequence[tuple[datetime, Burst]], per_week: float) -> float:
    """Return the lowest threshold with at most `per_week` alerts a week."""
    for number in range(round(0.5 / CHOICE_STEP), round(HIGHEST_CHOICE / CHOICE_STEP)):
        threshold = round(number * CHOICE_STEP, 2)
        if _try(history, threshold).per_week <= per_week:
            return threshold
    return HIGHEST_CHOICE
