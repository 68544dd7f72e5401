"""The usual share of negatives among a brand's mentions, and how far a window is above it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, sqrt
from typing import Any

from sentiment.bursts.config import DAY_S, HOUR_S, BurstConfig
from sentiment.bursts.expected import ANSCOMBE

#: A step's negative mentions, and all of its mentions.
Pair = tuple[float, float]

#: Share of negatives that a brand without history is taken to have, and how many mentions a
#: day that guess weighs.
PRIOR_SHARE, PRIOR_MENTIONS = 0.3, 4.0

#: A share is learned from only up to so many standard deviations above itself.
CLIP_SHARE, CLIP_COUNT = 2.0, 3.0


@dataclass(frozen=True, slots=True)
class ShareConfig:
    """What a `ShareDetector` is told.

    Args:
        volume: Windows, half-lives and calibration.
        share_half_lives_s: Half-lives of the usual share, in seconds; it is their average.
        volume_strength: The volume's surprise counts so many times in "the smaller of two".
        volume_weight: What the volume alone counts of its index.

    """

    volume: BurstConfig
    share_half_lives_s: tuple[int, ...]
    volume_strength: float
    volume_weight: float


#: Attacks, within the hour. The level follows the last hours, because an attack is a jump: what
#: swells for half a day is for the others.
ATTACK = ShareConfig(
    volume=BurstConfig(
        windows_s=(900, 1800, HOUR_S), half_lives_s=(HOUR_S, 3 * HOUR_S, 6 * HOUR_S)
    ),
    share_half_lives_s=(DAY_S, 2 * DAY_S, 4 * DAY_S),
    volume_strength=1.0,
    volume_weight=0.9,
)

#: A quiet change for the worse, within a day: here the share tells most.
SLOW_SHARE = ShareConfig(
    volume=BurstConfig(
        windows_s=(6 * HOUR_S, 12 * HOUR_S, DAY_S), half_lives_s=(4 * DAY_S, 8 * DAY_S)
    ),
    share_half_lives_s=(4 * DAY_S, 8 * DAY_S),
    volume_strength=2.0,
    volume_weight=0.0,
)


def share_surprise(negatives: float, mentions: float, expected: float) -> float:
    """Return how far the share of negatives is above the usual, in standard deviations.

    Args:
        negatives: Negative mentions.
        mentions: All mentions.
        expected: How many of so many mentions are usually negative.

    """
    if mentions <= 0:
        return 0.0
    whole = mentions + 2 * ANSCOMBE
    seen = asin(sqrt(min((negatives + ANSCOMBE) / whole, 1.0)))
    return 2.0 * sqrt(mentions + 0.5) * (seen - asin(sqrt(min((expected + ANSCOMBE) / whole, 1.0))))


class UsualShare:
    """The usual share of negatives among all mentions, learned from clipped counts."""

    __slots__ = ("_mentions", "_negatives", "_rates", "_steps")

    def __init__(self, half_lives_s: Sequence[float], step_s: float) -> None:
        self._rates = [1.0 - 0.5 ** (step_s / half_life) for half_life in half_lives_s]
        self._negatives = [0.0] * len(self._rates)
        self._mentions = [0.0] * len(self._rates)
        self._steps = 0

    def value(self, step_s: float) -> float:
        """Return the share, above 0 and below 1."""
        prior = PRIOR_MENTIONS * step_s / DAY_S
        shares = [
            (negatives + PRIOR_SHARE * prior) / (mentions + prior)
            for negatives, mentions in zip(self._negatives, self._mentions, strict=True)
        ]
        return sum(shares) / len(shares)

    def learn(self, seen: Pair, expected: float, share: float) -> None:
        """Take in a step, of which so many negatives and such a share had been expected."""
        negatives, mentions = seen
        by_share = mentions * share + CLIP_SHARE * sqrt(mentions * share * (1.0 - share) + 0.5)
        limit = max(expected + CLIP_COUNT * sqrt(expected + 1.0), by_share)
        taken = min(negatives, limit)
        mentions += taken - negatives
        self._steps += 1
        for number, rate in enumerate(self._rates):
            used = max(rate, 1.0 / self._steps)
            self._negatives[number] += used * (taken - self._negatives[number])
            self._mentions[number] += used * (mentions - self._mentions[number])

    def to_state(self) -> list[Any]:
        """Return everything learned, fit for JSON."""
        return [list(self._negatives), list(self._mentions), self._steps]

    def restore(self, state: list[Any]) -> None:
        """Take over what `to_state` gave."""
        negatives, mentions, self._steps = state
        self._negatives, self._mentions = list(negatives), list(mentions)
