"""How many mentions are expected now: a slow level times a time-of-day profile.

Both learn from clipped counts, so that a burst does not become the new normal, and both
stand still while nothing is known.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from sentiment.bursts.config import DAY_S, BurstConfig

#: Makes the square root of a Poisson count have the same spread at every mean.
#: Source: F. J. Anscombe, Biometrika 35 (1948), 246.
ANSCOMBE = 0.375
#: Least noise width, in Poisson standard deviations: counts of a rare series are all 0.
LEAST_NOISE = 0.7
#: Turns a normal variable's mean absolute value into its standard deviation, sqrt(pi / 2).
ABSOLUTE_TO_SD = 1.2533
#: Steps over which the noise width moves from its start of 1 to what is seen.
NOISE_START_STEPS = 50


def surprise(seen: float, expected: float) -> float:
    """Return how far `seen` is above `expected`, in Poisson standard deviations."""
    return 2.0 * (sqrt(seen + ANSCOMBE) - sqrt(expected + ANSCOMBE))


class ExpectedVolume:
    """The expected count of one step, learned from the counts before it."""

    __slots__ = (
        "_config",
        "_level_rates",
        "_levels",
        "_noise",
        "_profile",
        "_profile_rate",
        "_steps",
        "_weights",
    )

    def __init__(self, config: BurstConfig) -> None:
        steps_per_day = DAY_S / config.step_s
        visits = config.profile_half_life_days * steps_per_day / config.profile_slots
        self._config = config
        self._level_rates = [
            1.0 - 0.5 ** (config.step_s / half_life) for half_life in config.half_lives_s
        ]
        self._profile_rate = 1.0 - 0.5 ** (1.0 / visits)
        self._levels = [0.0] * len(config.half_lives_s)
        self._profile = [0.0] * config.profile_slots
        self._weights = [0.0] * config.profile_slots
        self._noise = 1.0
        self._steps = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was learned yet."""
        return self._steps == 0

    def predict(self, second_of_day: float) -> float:
        """Return the count expected of a step at this time of day, 0 before anything is learned."""
        return sum(self._levels) / len(self._levels) * self._factor(second_of_day)

    def learn(self, seen: float, expected: float, second_of_day: float) -> None:
        """Take in a step's count, of which `expected` had been predicted."""
        limit = self._config.clip_noise * self._noise
        deviation = surprise(seen, expected)
        if deviation > limit:
            seen = (limit / 2.0 + sqrt(expected + ANSCOMBE)) ** 2 - ANSCOMBE
        size = min(abs(deviation), limit) * ABSOLUTE_TO_SD
        rates = self._level_rates
        self._noise += max(rates[0], 1.0 / (self._steps + NOISE_START_STEPS)) * (size - self._noise)
        self._noise = max(self._noise, LEAST_NOISE)
        self._steps += 1
        # While there is less history than a half-life holds, a plain mean learns fastest.
        start_rate = 1.0 / self._steps
        flattened = seen / max(self._factor(second_of_day), 0.05)
        for number, rate in enumerate(rates):
            self._levels[number] += max(rate, start_rate) * (flattened - self._levels[number])
        slot = int(second_of_day / DAY_S * len(self._profile)) % len(self._profile)
        level = max(sum(self._levels) / len(self._levels), 1e-3)
        self._profile[slot] += self._profile_rate * (seen / level - self._profile[slot])
        self._weights[slot] += self._profile_rate * (1.0 - self._weights[slot])

    def _factor(self, second_of_day: float) -> float:
        slots = len(self._profile)
        place = second_of_day / DAY_S * slots - 0.5
        before = int(place // 1)
        share = place - before
        prior = self._config.profile_prior
        first, second = before % slots, (before + 1) % slots
        return (1.0 - share) * (self._profile[first] + prior) / (
            self._weights[first] + prior
        ) + share * (self._profile[second] + prior) / (self._weights[second] + prior)

    def to_state(self) -> dict[str, Any]:
        """Return everything learned, fit for JSON."""
        return {
            "levels": list(self._levels),
            "profile": list(self._profile),
            "weights": list(self._weights),
            "noise": self._noise,
            "steps": self._steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `to_state` gave."""
        self._levels = list(state["levels"])
        self._profile = list(state["profile"])
        self._weights = list(state["weights"])
        self._noise = state["noise"]
        self._steps = state["steps"]
