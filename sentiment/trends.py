"""Volume and sentiment over time, read from the roll-ups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from listener.models import Brand
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from sentiment.types import Label

#: In the order of the fields of `TrendPoint`.
_LABELS = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE, Label.UNKNOWN)

#: Two-sided 95 % of the normal distribution.
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What a brand had in one bucket."""

    at: datetime
    negative: int
    neutral: int
    positive: int
    unknown: int

    @property
    def mentions(self) -> int:
        """All mentions of the bucket."""
        return self.negative + self.neutral + self.positive + self.unknown


@dataclass(frozen=True, slots=True)
class NetSentiment:
    """Net sentiment of a stretch of time.

    Args:
        value: (positive - negative) / judged, -1 to +1; None where nothing was judged.
        low: Lower end of its 95 % interval.
        high: Upper end.
        judged: Mentions that have a polarity; those in unread languages do not count.

    """

    value: float | None
    low: float | None
    high: float | None
    judged: int


def volume_series(
    session: Session, brand_id: int | None, *, since: datetime, until: datetime, grain_s: int
) -> list[TrendPoint]:
    """Return one point for each bucket from `since` to `until`, empty ones included.

    Args:
        session: The transaction.
        brand_id: The brand; None for all brands together.
        since: Beginning, by publication time.
        until: End, not included.
        grain_s: Width of a bucket in seconds: a multiple of 300.

    """
    stored = max(grain for grain in GRAINS_S if grain_s % grain == 0)
    # A row for each bucket, not for each of its labels: a month has 720 hours.
    sums = (func.sum(case((Volume.label == label, Volume.mentions), else_=0)) for label in _LABELS)
    query = (
        select(Volume.bucket_at, *sums)
        .where(
            Volume.grain_s == stored,
            Volume.bucket_at >= bucket_of(since, stored),
            Volume.bucket_at < until,
        )
        .group_by(Volume.bucket_at)
    )
    if brand_id is not None:
        query = query.where(Volume.brand_id == brand_id)
    else:
        query = query.where(Volume.brand_id.not_in(others()))
    counts: dict[datetime, list[int]] = {}
    for bucket_at, *found in session.execute(query):
        here = counts.setdefault(bucket_of(bucket_at, grain_s), [0] * len(_LABELS))
        for place, mentions in enumerate(found):
            here[place] += int(mentions)
    points = []
    at = bucket_of(since, grain_s)
    while at < until:
        points.append(TrendPoint(at, *counts.get(at, (0,) * len(_LABELS))))
        at += timedelta(seconds=grain_s)
    return points


def others() -> Select[int]:
    """Return the query of the copies for drills and the competitors: they are in no sum."""
    return select(Brand.id).where(~Brand.is_own())


def net_sentiment(points: list[TrendPoint]) -> NetSentiment:
    """Return the net sentiment of all points together, with its interval.

    The variance is that of a variable that is +1, 0 or -1; half a mention of each polarity
    is added, so that few mentions give a wide interval and never one of no width.
    """
    positive = sum(point.positive for point in points)
    negative = sum(point.negative for point in points)
    judged = positive + negative + sum(point.neutral for point in points)
    if judged == 0:
        return NetSentiment(None, None, None, 0)
    value = (positive - negative) / judged
    share_up, share_down = (positive + 0.5) / (judged + 1.5), (negative + 0.5) / (judged + 1.5)
    variance = share_up + share_down - (share_up - share_down) ** 2
    half = Z95 * math.sqrt(variance / judged)
    return NetSentiment(value, max(-1.0, value - half), min(1.0, value + half), judged)
