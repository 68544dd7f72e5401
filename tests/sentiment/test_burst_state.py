"""The burst detector's state: a restart changes nothing, and what it refuses."""

from __future__ import annotations

import json
import math
import random
from datetime import datetime, timedelta, timezone

import pytest

from config.errors import InputError
from sentiment.burst import BurstDetector
from sentiment.bursts.config import SLOW
from tests.sentiment.burst_series import DAY, START, STEP, alert_steps, background, run


def test_a_restart_at_any_moment_changes_nothing() -> None:
    counts: list[float | None] = [*background(8, 16, seed=11, spread=0.4)]
    counts[12 * DAY : 12 * DAY + 12] = [30.0] * 12
    counts[9 * DAY : 9 * DAY + 30] = [None] * 30
    whole = run(BurstDetector(), counts)

    rng = random.Random(12)
    detector, restarted = BurstDetector(), []
    for step, seen in enumerate(counts):
        if rng.random() < 0.05:
            detector = BurstDetector.from_state(json.loads(json.dumps(detector.to_state())))
        restarted.append(detector.step(seen, START + step * STEP))

    assert restarted == whole
    assert alert_steps(whole)


def test_a_state_stays_small_however_old_the_series() -> None:
    young, old = BurstDetector(), BurstDetector()
    run(young, background(10, 20, seed=13))
    run(old, background(10, 60, seed=13))

    sizes = [len(json.dumps(detector.to_state())) for detector in (young, old)]

    assert sizes[1] < 1.1 * sizes[0] < 12_000


def test_a_state_of_another_configuration_is_refused() -> None:
    state = BurstDetector(SLOW).to_state()

    with pytest.raises(InputError, match="replay"):
        BurstDetector.from_state(state)


@pytest.mark.parametrize("at", [START + 9 * STEP, START + 4 * STEP])
def test_a_step_that_is_not_later_is_refused_and_changes_nothing(at: datetime) -> None:
    detector = BurstDetector()
    run(detector, [1.0] * 10)
    before = detector.to_state()

    with pytest.raises(InputError, match="in order"):
        detector.step(500.0, at)

    assert detector.to_state() == before


@pytest.mark.parametrize("seen", [-1.0, math.nan, math.inf])
def test_what_is_no_count_is_refused(seen: float) -> None:
    with pytest.raises(InputError, match="no count"):
        BurstDetector().step(seen, START)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="no zone"):
        BurstDetector().step(1.0, START.replace(tzinfo=None))


def test_the_zone_of_the_clock_does_not_matter() -> None:
    counts = background(10, 3, seed=14)
    lima = timezone(timedelta(hours=-5))
    elsewhere = BurstDetector()

    here = run(BurstDetector(), counts)
    there = [
        elsewhere.step(seen, (START + step * STEP).astimezone(lima))
        for step, seen in enumerate(counts)
    ]

    assert here == there
