"""What an ordinary day of a brand looks like, hour by hour of the day. Pure, and its query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sentiment.forecast import HIGH, LOW, Range
from sentiment.models import Volume
from sentiment.rollups import bucket_of

#: Days that say what is ordinary, and the fewest that say anything.
DAYS_BEFORE = 28
LEAST_DAYS = 7

_HOUR_S = 3600
_DAY = timedelta(days=1)


def count_label(
    session: Session,
    brand_id: int,
    label: str,
    *,
    since: datetime,
    until: datetime,
    grain_s: int,
) -> dict[datetime, int]:
    """Return a brand's mentions with a label by bucket; empty buckets are left out.

    Args:
        session: The transaction.
        brand_id: The brand.
        label: The polarity.
        since: Beginning, by publication time.
        until: End, not included.
        grain_s: Width of a bucket, one of those that are stored.

    """
    query = (
        select(Volume.bucket_at, func.sum(Volume.mentions))
        .where(
            Volume.brand_id == brand_id,
            Volume.grain_s == grain_s,
            Volume.bucket_at >= bucket_of(since, grain_s),
            Volume.bucket_at < until,
            Volume.label == label,
        )
        .group_by(Volume.bucket_at)
    )
    return {at: int(mentions) for at, mentions in session.execute(query)}


def heard_since(session: Session, brand_id: int) -> datetime | None:
    """Return the first hour in which anything was published about a brand, None for none."""
    return session.scalar(
        select(func.min(Volume.bucket_at)).where(
            Volume.brand_id == brand_id, Volume.grain_s == _HOUR_S
        )
    )


def is_ordinary_known(heard: datetime | None, now: datetime) -> bool:
    """Say whether a brand is heard for long enough to know what is ordinary for it."""
    return heard is not None and now - heard >= LEAST_DAYS * _DAY


def ordinary_hours(
    counts: Mapping[datetime, int], *, heard: datetime | None, until: datetime
) -> dict[int, Range] | None:
    """Return by hour of the day (UTC) what the days before `until` had in it.

    The range is that of the middle eight of ten days. Days from before the brand was heard say
    nothing; None where fewer than `LEAST_DAYS` are left.

    Args:
        counts: Counts by hour; an hour that is missing had none.
        heard: Since when the brand is heard.
        until: Where the ordinary days end: an attack is not ordinary.

    """
    end = bucket_of(until, _HOUR_S)
    begin = end - DAYS_BEFORE * _DAY
    if heard is not None:
        begin = max(begin, bucket_of(heard, _HOUR_S))
    days = (end - begin) // _DAY if heard is not None else 0
    if days < LEAST_DAYS:
        return None
    seen = np.zeros((days, 24))
    for at, mentions in counts.items():
        back = int((end - at).total_seconds()) // _HOUR_S - 1
        if 0 <= back < days * 24:
            seen[back // 24, back % 24] = mentions
    low, middle, high = np.quantile(seen, (LOW, 0.5, HIGH), axis=0)
    return {
        (end - timedelta(hours=back + 1)).hour: Range(
            float(low[back]), float(middle[back]), float(high[back])
        )
        for back in range(24)
    }
