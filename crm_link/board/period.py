"""The brand board: what was said in a period, how it was meant, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sentiment.comparison import Difference, net_change, volume_change
from sentiment.models import GRAINS_S, Volume
from sentiment.rollups import bucket_of
from sentiment.trends import (
    NetSentiment,
    TrendPoint,
    net_sentiment,
    others,
    volume_series,
)
from sentiment.types import Label

#: Period -> (length, width of a point in seconds): 24 to 60 points, each whole hours wide.
PERIODS = {
    "24h": (timedelta(hours=24), 3600),
    "7d": (timedelta(days=7), 6 * 3600),
    "30d": (timedelta(days=30), 12 * 3600),
}


@dataclass(frozen=True, slots=True)
class PlatformShare:
    """What one platform gave in the period."""

    platform: str
    total: TrendPoint
    net: NetSentiment


@dataclass(frozen=True, slots=True)
class Board:
    """A brand's period, with the period before it to compare.

    `since` and `until` are the ends of whole points, so that every mention behind a point is
    in the sums too.
    """

    since: datetime
    until: datetime
    grain_s: int
    points: tuple[TrendPoint, ...]
    net: NetSentiment
    mentions: int
    points_before: tuple[TrendPoint, ...]
    mentions_before: int
    net_before: NetSentiment
    platforms: tuple[PlatformShare, ...]

    @property
    def change(self) -> Difference | None:
        """By what share the mentions grew against the period before."""
        return volume_change(self.points, self.points_before)

    @property
    def net_change(self) -> Difference | None:
        """By how much net sentiment rose against the period before."""
        return net_change(self.net, self.net_before)

    def points_with_net(self) -> list[tuple[TrendPoint, NetSentiment]]:
        """Return each point with its own net sentiment."""
        return [(point, net_sentiment([point])) for point in self.points]


def period_ends(period: str, now: datetime) -> tuple[datetime, datetime, int]:
    """Return beginning and end of a period of `PERIODS`, and the width of its points (s)."""
    length, grain_s = PERIODS[period]
    until = bucket_of(now, grain_s) + timedelta(seconds=grain_s)
    return until - length, until, grain_s


def read_board(session: Session, brand_id: int | None, *, period: str, now: datetime) -> Board:
    """Return a brand's board for a period of `PERIODS`; None for all brands together."""
    since, until, grain_s = period_ends(period, now)
    length = until - since
    points = volume_series(session, brand_id, since=since, until=until, grain_s=grain_s)
    before = volume_series(session, brand_id, since=since - length, until=since, grain_s=grain_s)
    return Board(
        since=since,
        until=until,
        grain_s=grain_s,
        points=tuple(points),
        net=net_sentiment(points),
        mentions=sum(point.mentions for point in points),
        points_before=tuple(before),
        mentions_before=sum(point.mentions for point in before),
        net_before=net_sentiment(before),
        platforms=_platforms(session, brand_id, since=since, until=until, grain_s=grain_s),
    )


def _platforms(
    session: Session, brand_id: int | None, *, since: datetime, until: datetime, grain_s: int
) -> tuple[PlatformShare, ...]:
    stored = max(grain for grain in GRAINS_S if grain_s % grain == 0)
    query = (
        select(Volume.platform, Volume.label, func.sum(Volume.mentions))
        .where(Volume.grain_s == stored, Volume.bucket_at >= since, Volume.bucket_at < until)
        .group_by(Volume.platform, Volume.label)
    )
    if brand_id is not None:
        query = query.where(Volume.brand_id == brand_id)
    else:
        query = query.where(Volume.brand_id.not_in(others()))
    counts: dict[str, dict[str, int]] = {}
    for platform, label, mentions in session.execute(query):
        counts.setdefault(platform, {})[label] = int(mentions)
    shares = []
    for platform, here in counts.items():
        total = TrendPoint(
            at=since,
            negative=here.get(Label.NEGATIVE, 0),
            neutral=here.get(Label.NEUTRAL, 0),
            positive=here.get(Label.POSITIVE, 0),
            unknown=here.get(Label.UNKNOWN, 0),
        )
        shares.append(PlatformShare(platform, total, net_sentiment([total])))
    return tuple(sorted(shares, key=lambda share: (-share.total.mentions, share.platform)))
