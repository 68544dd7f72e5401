"""One stretch of time against the one before it: differences with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment.trends import Z95, NetSentiment, TrendPoint

#: Mentions that both stretches have at least before a change is worked out.
LEAST_MENTIONS = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference with its 95 % interval.

    Args:
        value: As a share of what was before (0.5 is half as much again), or in units of net
            sentiment.
        low: Lower end of its interval.
        high: Upper end.

    """

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance explains: the interval does not hold zero."""
        return self.low > 0 or self.high < 0


def volume_change(points: Sequence[TrendPoint], before: Sequence[TrendPoint]) -> Difference | None:
    """Return by what share the mentions grew; None where there are too few to compare.

    Mentions come in clusters, so that a Poisson interval would be too narrow: the variance is
    widened by how much the points themselves scatter (quasi-Poisson; McCullagh and Nelder,
    Generalized Linear Models, 1989, 6.2.3). The hours of the day count as scatter too, which
    makes the interval wider, never narrower.
    """
    now, old = (sum(point.mentions for point in stretch) for stretch in (points, before))
    if now < LEAST_MENTIONS or old < LEAST_MENTIONS:
        return None
    scatter = max(1.0, (_scatter(points) + _scatter(before)) / 2)
    ratio, half = now / old, Z95 * math.sqrt(scatter * (1 / now + 1 / old))
    return Difference(ratio - 1, ratio * math.exp(-half) - 1, ratio * math.exp(half) - 1)


def net_change(now: NetSentiment, before: NetSentiment) -> Difference | None:
    """Return by how much net sentiment rose; None where one of the two is not known."""
    if now.value is None or before.value is None:
        return None
    half = math.hypot(_half(now), _half(before))
    value = now.value - before.value
    return Difference(value, value - half, value + half)


def _half(net: NetSentiment) -> float:
    return ((net.high or 0.0) - (net.low or 0.0)) / 2


def _scatter(points: Sequence[TrendPoint]) -> float:
    """Return how many times as large as a Poisson's the variance of the points is."""
    counts = [point.mentions for point in points]
    mean = sum(counts) / len(counts)
    if mean == 0 or len(counts) < 2:  # noqa: PLR2004 - one point has no variance
        return 1.0
    return sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean
