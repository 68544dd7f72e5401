"""For how many days in a row negative mentions have become more: the slow trouble."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.rules import trend_days
from sentiment.models import Volume
from sentiment.types import Label

#: The roll-up's coarser bucket, in seconds.
GRAIN_S = 3600

#: Days that are looked at: the longest trend that a protocol can ask for, and one to compare.
MOST_DAYS = 31


def trend_for(
    session: Session,
    protocol: EscalationProtocol,
    brand_id: int,
    settled: datetime | None,
    now: datetime,
) -> int:
    """Return the trend's days where the protocol asks; one that was dealt with today is over.

    Args:
        session: To count with.
        protocol: What judges the brand as a whole.
        brand_id: The brand.
        settled: When the brand's last incident was resolved.
        now: The present.

    """
    asks = any(condition.negative_trend_days_gte is not None for condition in protocol.conditions)
    if not asks or (settled is not None and settled.date() == now.date()):
        return 0
    return negative_trend_days(session, brand_id, now)


def negative_trend_days(session: Session, brand_id: int, now: datetime) -> int:
    """Return how many whole days (UTC) in a row a brand's negative mentions have grown.

    Today is not whole and does not count.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=MOST_DAYS)
    rows = session.execute(
        select(Volume.bucket_at, func.sum(Volume.mentions))
        .where(
            Volume.brand_id == brand_id,
            Volume.grain_s == GRAIN_S,
            Volume.bucket_at >= start,
            Volume.bucket_at < today,
            Volume.label == Label.NEGATIVE.value,
        )
        .group_by(Volume.bucket_at)
    )
    by_day: Counter[int] = Counter()
    for bucket_at, mentions in rows:
        by_day[(bucket_at - start).days] += int(mentions)
    return trend_days([by_day[day] for day in range(MOST_DAYS)])
