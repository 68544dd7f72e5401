"""What the biggest surprise of an ordinary day is, learned by each series from itself."""

from __future__ import annotations

import math
from typing import Any

from sentiment.bursts.config import DAY_S, BurstConfig

#: Parts of a day whose maxima are kept. Days are then taken at each part's start, so that it
#: hardly matters at which hour a series began.
BLOCKS_PER_DAY = 4
BLOCK_S = DAY_S // BLOCKS_PER_DAY


class Calibration:
    """Turns surprises, one per window, into their share of an alert-worthy one.

    A day counts only where at least half of it was known: a silent source is no calm day.
    """

    __slots__ = ("_block_ends_at", "_blocks", "_config", "_known", "_maxima", "factors")

    def __init__(self, config: BurstConfig) -> None:
        self._config = config
        self._blocks: list[list[float]] = []
        self._maxima: list[float] = []
        self._known = 0
        self._block_ends_at: float | None = None
        #: What each window's surprise is multiplied by; changes only when a block ends.
        self.factors: list[float] = [self._factor([])] * len(config.window_steps)

    @property
    def is_ready(self) -> bool:
        """Whether one whole day has been seen."""
        return len(self._blocks) >= BLOCKS_PER_DAY

    def advance(self, timestamp: float) -> bool:
        """Close the block that ended by `timestamp`, in Unix seconds; say whether one did."""
        if self._block_ends_at is None:
            self._block_ends_at = timestamp + BLOCK_S
        if timestamp < self._block_ends_at:
            return False
        if self._maxima and self._known * self._config.step_s * 2 >= BLOCK_S:
            keep = BLOCKS_PER_DAY * (max(self._config.calibration_days) + 1) - 1
            # Rounded, because a state holds hundreds of these and none needs more digits.
            block = [round(maximum, 3) for maximum in self._maxima]
            self._blocks = [*self._blocks, block][-keep:]
            self.factors = self._work_out()
        self._maxima, self._known = [], 0
        self._block_ends_at += BLOCK_S * (1 + (timestamp - self._block_ends_at) // BLOCK_S)
        return True

    def take_in(self, surprises: list[float]) -> None:
        """Note a known step's surprises, one per window."""
        self._known += 1
        if self._maxima:
            self._maxima = [max(pair) for pair in zip(self._maxima, surprises, strict=True)]
        else:
            self._maxima = list(surprises)

    def _work_out(self) -> list[float]:
        days = range(len(self._blocks) - BLOCKS_PER_DAY + 1)
        return [
            self._factor([max(blocks[first : first + BLOCKS_PER_DAY]) for first in days])
            for blocks in zip(*self._blocks, strict=True)
        ]

    def _factor(self, maxima: list[float]) -> float:
        """Return the mean of 1 / (alert-worthy surprise) over memories and quantiles."""
        config = self._config
        shares = []
        for days in config.calibration_days:
            recent = maxima[-days * BLOCKS_PER_DAY :]
            if len(recent) < days * BLOCKS_PER_DAY:
                recent = recent + [config.prior_daily_maximum] * BLOCKS_PER_DAY
            recent.sort()
            for share in config.calibration_quantiles:
                ordinary = max(_quantile(recent, share), config.least_daily_maximum)
                shares.append(1.0 / (config.alert_margin * math.pow(ordinary, config.alert_power)))
        return sum(shares) / len(shares)

    def to_state(self) -> dict[str, Any]:
        """Return everything learned, fit for JSON."""
        return {
            "blocks": [list(block) for block in self._blocks],
            "maxima": list(self._maxima),
            "known": self._known,
            "block_ends_at": self._block_ends_at,
            "factors": list(self.factors),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `to_state` gave."""
        self._blocks = [list(block) for block in state["blocks"]]
        self._maxima = list(state["maxima"])
        self._known = state["known"]
        self._block_ends_at = state["block_ends_at"]
        # Stored rather than worked out again: a restore must cost no more than a step or two.
        self.factors = list(state["factors"])


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
