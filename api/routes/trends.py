"""Brands, and their volume and sentiment over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import SessionDep, StateDep, get_user
from api.schemas.listening import BrandOut, BurstOut, NetSentimentOut, PointOut, TrendOut
from config.clock import to_utc
from config.errors import InputError
from crm_link.mentions import get_brand, list_brands
from sentiment.bursts.readings import bursts_of
from sentiment.trends import net_sentiment, volume_series

router = APIRouter(tags=["trends"], dependencies=[Depends(get_user)])

#: Points of one answer, at most.
MAX_POINTS = 2000

#: Widths of a point are multiples of this, in seconds: the finest roll-up.
FINEST_S = 300


@router.get("/brands")
def read_brands(session: SessionDep) -> list[BrandOut]:
    """List all brands, by name."""
    return [BrandOut.model_validate(brand) for brand in list_brands(session)]


@router.get("/trends")
def read_trend(
    session: SessionDep,
    state: StateDep,
    brand: Annotated[str, Query(max_length=100, description="Its key; empty: all.")] = "",
    since: datetime | None = None,
    until: datetime | None = None,
    grain_s: Annotated[int, Query(ge=FINEST_S, description="Width of a point.")] = 3600,
) -> TrendOut:
    """Return volume by label and net sentiment with its 95 % interval; without times, one week."""
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - timedelta(days=7)
    if grain_s % FINEST_S:
        raise InputError("grain_s must be a multiple of %(finest_s)s", finest_s=FINEST_S)
    if start >= end:
        raise InputError("since must lie before until")
    if (end - start).total_seconds() / grain_s > MAX_POINTS:
        raise InputError(
            "these are more than %(max_points)s points; take a wider grain_s", max_points=MAX_POINTS
        )
    brand_id = get_brand(session, brand).id if brand else None
    points = volume_series(session, brand_id, since=start, until=end, grain_s=grain_s)
    return TrendOut(
        since=start,
        until=end,
        grain_s=grain_s,
        net_sentiment=NetSentimentOut.model_validate(net_sentiment(points)),
        points=[PointOut.model_validate(point) for point in points],
        bursts={
            topic: BurstOut.model_validate(burst)
            for topic, burst in (
                bursts_of(session, brand_id, state.clock()) if brand_id is not None else {}
            ).items()
        },
    )
