"""The burst index: what must raise an alert, and what must not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from config.errors import InputError
from sentiment.burst import BurstDetector
from sentiment.bursts.config import SLOW, BurstConfig
from tests.sentiment.burst_series import DAY, START, STEP, alert_steps, background, poisson, run


@pytest.mark.parametrize(
    ("calm_per_hour", "attack_per_hour"), [(0.5, 10), (2, 20), (4, 50), (10, 50), (10, 100)]
)
def test_an_attack_of_each_published_shape_alerts_within_the_hour_in_most_draws(
    calm_per_hour: float, attack_per_hour: float
) -> None:
    found = 0
    for seed in range(10):
        detector = BurstDetector()
        run(detector, background(calm_per_hour, 14, seed=seed, amplitude=0))
        rng = random.Random(seed + 1000)
        hour = [float(poisson(rng, (calm_per_hour + attack_per_hour) / 12)) for _ in range(12)]

        readings = run(detector, hour, first=14 * DAY)

        found += bool(alert_steps(readings))
    assert found >= 9


@pytest.mark.parametrize("per_hour", [0.5, 2, 10, 50, 300])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_a_calm_brand_alerts_less_than_once_a_week(per_hour: float, spread: float) -> None:
    weeks = 8

    readings = run(BurstDetector(), background(per_hour, weeks * 7, seed=7, spread=spread))

    assert len(alert_steps(readings)) < weeks


@pytest.mark.parametrize("count", [1.0, 2.0])
def test_one_or_two_posts_about_a_rarely_named_brand_are_no_alert(count: float) -> None:
    detector = BurstDetector()
    run(detector, [0.0] * (10 * DAY))

    readings = run(detector, [count, 0.0, 0.0], first=10 * DAY)

    assert not alert_steps(readings)
    assert max(reading.index for reading in readings) < 1.0


def test_a_brand_that_was_never_named_alerts_at_a_handful_of_posts() -> None:
    detector = BurstDetector()
    run(detector, [0.0] * (10 * DAY))

    readings = run(detector, [1.0, 2.0, 3.0], first=10 * DAY)

    assert alert_steps(readings)


def test_an_incident_alerts_once_and_again_only_when_it_doubles() -> None:
    detector = BurstDetector()
    run(detector, background(20, 10, seed=1))

    # An hour at 20 a step, five hours at the same height, then one at ten times that.
    readings = run(detector, [20.0] * 72 + [200.0] * 12, first=10 * DAY)

    steps = alert_steps(readings)
    indices = [readings[step].index for step in steps]
    assert steps
    assert all(later >= 2 * one for one, later in pairwise(indices))
    assert any(step >= 72 for step in steps)
    assert len(steps) < 8


def test_after_a_day_of_quiet_the_next_burst_is_news_again() -> None:
    detector = BurstDetector()
    run(detector, background(20, 10, seed=1))
    burst = [20.0] * 6

    first = run(detector, burst, first=10 * DAY)
    run(detector, background(20, 2, seed=2)[6:], first=10 * DAY + 6)
    second = run(detector, burst, first=12 * DAY)

    assert alert_steps(first)
    assert alert_steps(second)


def test_the_index_is_one_where_the_alert_is() -> None:
    detector = BurstDetector()
    readings = run(detector, background(10, 21, seed=3, spread=0.5))

    assert all(reading.index >= 1.0 for reading in readings if reading.is_alert)


def test_a_burst_does_not_become_the_new_normal() -> None:
    counts = background(20, 10, seed=4)
    calm, attacked = BurstDetector(), BurstDetector()
    run(calm, counts)
    run(attacked, counts)
    run(calm, background(20, 1, seed=5)[:24], first=10 * DAY)
    run(attacked, [100.0] * 24, first=10 * DAY)

    after = START + (10 * DAY + 24) * STEP
    calm.step(2.0, after)
    attacked.step(2.0, after)

    level_if_calm = sum(calm.to_state()["volume"]["levels"])
    level_now = sum(attacked.to_state()["volume"]["levels"])
    # Two hours at 60 times the mean, learned as they are, would have tripled the level.
    assert level_now < 1.3 * level_if_calm


def test_the_same_hour_each_day_is_expected() -> None:
    def rush_hour(days: int, seed: int) -> Iterator[float]:
        rng = random.Random(seed)
        for step in range(days * DAY):
            yield float(poisson(rng, 30.0 if 108 <= step % DAY < 120 else 1.0))

    readings = run(BurstDetector(), rush_hour(28, seed=6))

    assert not [step for step in alert_steps(readings) if step >= 7 * DAY]


def test_nothing_is_an_alert_before_a_day_was_seen() -> None:
    readings = run(BurstDetector(), [0.0] * 100 + [500.0] * 20)

    assert not alert_steps(readings)
    assert not readings[-1].is_ready


def test_a_silent_source_is_not_calm() -> None:
    detector = BurstDetector()
    run(detector, background(20, 10, seed=8))
    in_burst = run(detector, [30.0] * 6, first=10 * DAY)[-1]

    silent = run(detector, [None] * 200, first=10 * DAY + 6)

    assert in_burst.index > 1.0
    assert {reading.index for reading in silent} == {in_burst.index}
    assert not any(reading.is_known or reading.is_alert for reading in silent)


def test_what_was_not_known_teaches_nothing() -> None:
    counts = background(20, 10, seed=9)
    whole, silenced = BurstDetector(), BurstDetector()
    run(whole, counts)
    run(silenced, counts)
    run(silenced, [None] * (3 * DAY), first=10 * DAY)

    # The same hour of the day, three days on: what is usual must not have sunk toward 0.
    before = whole.step(1.0, START + 10 * DAY * STEP)
    after = silenced.step(1.0, START + 13 * DAY * STEP)

    known_before, known_after = whole.to_state(), silenced.to_state()
    assert known_before["volume"]["steps"] == known_after["volume"]["steps"]
    assert known_before["volume"]["levels"] == known_after["volume"]["levels"]
    assert before.is_known
    assert after.is_known


def test_left_out_steps_are_the_same_as_unknown_ones() -> None:
    counts = background(20, 5, seed=10)
    told, left_out = BurstDetector(), BurstDetector()
    run(told, counts)
    run(left_out, counts)
    run(told, [None] * 50, first=5 * DAY)

    first = run(told, [5.0, 9.0], first=5 * DAY + 50)
    second = run(left_out, [5.0, 9.0], first=5 * DAY + 50)

    for one, other in zip(first, second, strict=True):
        assert one.index == pytest.approx(other.index)
        assert (one.seen, one.window_s) == (other.seen, other.window_s)


def test_a_quiet_doubling_is_found_by_the_slow_channel_within_a_day() -> None:
    # The shape of a known miss: 291 negatives a day became 561, spread over the whole day.
    counts = background(291 / 24, 28, seed=15)
    doubled = background(561 / 24, 1, seed=16)
    slow = BurstDetector(SLOW)
    before = alert_steps(run(slow, counts))

    readings = run(slow, doubled, first=28 * DAY)

    assert alert_steps(readings)
    assert len(before) <= 4


def test_a_lower_alert_index_alerts_more() -> None:
    counts = background(20, 42, seed=17, spread=0.8)
    sensitive = BurstDetector(replace(BurstConfig(), alert_index=0.6))

    usual = alert_steps(run(BurstDetector(), counts))

    assert len(alert_steps(run(sensitive, counts))) > len(usual)


def test_windows_follow_the_length_of_a_step() -> None:
    assert BurstConfig().window_steps == (1, 3, 6, 12, 24, 36)
    assert replace(BurstConfig(), step_s=3600).window_steps == (1, 2, 3)


def test_a_configuration_that_cannot_run_is_refused() -> None:
    with pytest.raises(InputError, match="positive step"):
        BurstConfig(step_s=0)


def test_looking_ahead_gives_the_highest_of_all_moments_to_come() -> None:
    detector = BurstDetector()
    run(detector, background(8, 10, seed=3))
    coming = [2.0, 9.0, 14.0, 0.0, *[1.0] * 40]

    moments = [detector.judge(detector.counts(coming[:end])) for end in range(1, len(coming) + 1)]

    assert detector.look_ahead(coming) == max(moments, key=lambda reading: reading.index)
    assert detector.look_ahead(coming).index > detector.reading.index
