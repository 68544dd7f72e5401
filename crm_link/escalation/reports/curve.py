"""The shape of an attack over time: its peak, and when things were ordinary again. Pure.

What is ordinary is said by the brand's own days before: windows of 24 hours that end where the
attack began. A day after it is ordinary again when its volume is at most the 90th percentile of
those, and its net sentiment at least the 10th, as far as either was ever measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentiment.trends import TrendPoint, net_sentiment

#: How many days before the attack say what is ordinary, and the fewest that say anything.
DAYS_BEFORE = 28
LEAST_DAYS = 7

#: Mentions that a day needs for its net sentiment to say anything.
LEAST_JUDGED = 5

#: The edges of the ordinary band.
LOW, HIGH = 0.1, 0.9

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Band:
    """The brand's ordinary day.

    Args:
        days: How many days say so.
        volume_high: At most so many mentions a day are ordinary.
        net_low: Net sentiment from here on is ordinary; None where too little was judged.

    """

    days: int
    volume_high: float
    net_low: float | None


@dataclass(frozen=True, slots=True)
class Rebound:
    """How long it took until a whole day was ordinary again.

    Args:
        band: What is ordinary; None where the brand has too short a past.
        volume_days: Days until the volume was; None where it is not, or nothing is known.
        net_days: Days until the net sentiment was.
        looked_days: Whole days since the attack began that could be looked at.

    """

    band: Band | None
    volume_days: int | None
    net_days: int | None
    looked_days: int

    @property
    def days(self) -> int | None:
        """Days until both were ordinary; sentiment counts where it can be judged."""
        if self.volume_days is None or self.band is None:
            return None
        if self.band.net_low is None:
            return self.volume_days
        return None if self.net_days is None else max(self.volume_days, self.net_days)


def peak_of(points: Sequence[TrendPoint]) -> TrendPoint | None:
    """Return the loudest point, the first of several; None where nothing was said."""
    loudest = max(points, key=lambda point: point.mentions, default=None)
    return loudest if loudest is not None and loudest.mentions else None


def rebound(hours: Sequence[TrendPoint], *, began_at: datetime, now: datetime) -> Rebound:
    """Return when the brand's days were ordinary again.

    Args:
        hours: The brand's mentions by the hour, from `DAYS_BEFORE` days before the attack on;
            hours from before the brand was watched may be missing or empty.
        began_at: When the attack began.
        now: Days that are not over by now are not looked at.

    """
    first = next((point.at for point in hours if point.mentions), None)
    before = [
        _window(hours, began_at - number * _DAY)
        for number in range(1, DAYS_BEFORE + 1)
        if first is not None and began_at - number * _DAY >= first - timedelta(hours=1)
    ]
    looked = max(0, (now - began_at) // _DAY)
    if len(before) < LEAST_DAYS:
        return Rebound(None, None, None, looked)
    nets = [net for day in before if (net := _net(day)) is not None]
    band = Band(
        days=len(before),
        volume_high=_quantile([_volume(day) for day in before], HIGH),
        net_low=_quantile(nets, LOW) if len(nets) >= LEAST_DAYS else None,
    )
    volume_days = net_days = None
    for number in range(looked):
        day = _window(hours, began_at + number * _DAY)
        if volume_days is None and _volume(day) <= band.volume_high:
            volume_days = number + 1
        net = _net(day)
        if net_days is None and band.net_low is not None and net is not None:
            net_days = number + 1 if net >= band.net_low else None
    return Rebound(band, volume_days, net_days, looked)


def _window(hours: Sequence[TrendPoint], begin: datetime) -> list[TrendPoint]:
    return [point for point in hours if begin <= point.at < begin + _DAY]


def _volume(day: Sequence[TrendPoint]) -> float:
    return float(sum(point.mentions for point in day))


def _net(day: Sequence[TrendPoint]) -> float | None:
    found = net_sentiment(list(day))
    return found.value if found.judged >= LEAST_JUDGED else None


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the others lie, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
