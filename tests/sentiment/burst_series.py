"""Made-up series of counts, and walking a detector over them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sentiment.burst import BurstDetector, BurstReading

START = datetime(2026, 1, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
DAY = 288


def poisson(rng: random.Random, mean: float) -> int:
    """Draw a Poisson count, by its gaps up to 30 and by its normal limit above."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, product = 0, rng.random()
    limit = math.exp(-mean)
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def background(
    per_hour: float, days: int, *, seed: int, spread: float = 0.0, amplitude: float = 0.6
) -> list[float]:
    """Make counts with a daily rhythm; `spread` above 0 makes them negative binomial."""
    rng = random.Random(seed)
    counts = []
    for step in range(days * DAY):
        mean = per_hour / 12 * (1 + amplitude * math.sin(2 * math.pi * (step / DAY - 0.4)))
        if spread:
            mean *= rng.gammavariate(1 / spread**2, spread**2)
        counts.append(float(poisson(rng, mean)))
    return counts


def run(
    detector: BurstDetector, counts: Iterable[float | None], *, first: int = 0
) -> list[BurstReading]:
    return [detector.step(seen, START + (first + i) * STEP) for i, seen in enumerate(counts)]


def alert_steps(readings: Iterable[BurstReading]) -> list[int]:
    return [step for step, reading in enumerate(readings) if reading.is_alert]
