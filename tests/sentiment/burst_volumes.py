"""Series of counts, put into the roll-up as if the mentions had been judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from listener.models import Brand
from sentiment.bursts.listening import STEP_S
from sentiment.models import BurstState, Volume

STEP = timedelta(seconds=STEP_S)
KEY = ("brand_id", "grain_s", "bucket_at", "platform", "label")


def store_counts(
    sessions: sessionmaker[Session],
    brand_id: int,
    first: datetime,
    counts: Iterable[float],
    *,
    label: str = "negative",
) -> None:
    """Add one bucket for each count, from `first` on."""
    rows = [
        dict(
            zip(KEY, (brand_id, STEP_S, first + number * STEP, "x", label), strict=True),
            mentions=int(count),
            score_sum=0.0,
        )
        for number, count in enumerate(counts)
        if count
    ]
    with sessions.begin() as session:
        upsert(session, Volume, rows, key=KEY, add_columns=["mentions", "score_sum"])


def states(sessions: sessionmaker[Session]) -> dict[tuple[int, str, str, str], tuple[object, ...]]:
    """Return everything that is stored of the detectors."""
    with sessions() as session:
        return {
            (row.brand_id, row.topic, row.kind, row.config): (
                row.stepped_to,
                row.burst_index,
                row.seen,
                row.expected,
                row.is_known,
                row.is_ready,
                row.state,
            )
            for row in session.scalars(select(BurstState))
        }


def add_brand(sessions: sessionmaker[Session], now: datetime, key: str = "acme") -> int:
    with sessions.begin() as session:
        brand = Brand(key=key, name="Acme", query="acme", names=["Acme"], created_at=now)
        session.add(brand)
        session.flush()
        return brand.id
