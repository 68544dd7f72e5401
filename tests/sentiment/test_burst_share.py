"""The attack index: more negatives than expected, and a greater share of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest

from config.errors import InputError
from sentiment.bursts.share import ShareDetector
from sentiment.bursts.usual_share import ATTACK, SLOW_SHARE, Pair, ShareConfig, share_surprise
from tests.sentiment.burst_series import DAY, START, STEP, background, poisson


def _pairs(per_hour: float, days: int, *, seed: int, share: float = 0.3) -> list[Pair]:
    """Make negatives among all; both follow the same rhythm."""
    rng = random.Random(seed)
    return [
        (sum(rng.random() < share for _ in range(int(both))), both)
        for both in background(per_hour / share, days, seed=seed)
    ]


def _run(
    pairs: Iterable[Pair | None], *, config: ShareConfig = ATTACK, first: int = 0
) -> tuple[ShareDetector, list[float]]:
    detector = ShareDetector(config)
    return detector, _go_on(detector, pairs, first=first)


def _go_on(detector: ShareDetector, pairs: Iterable[Pair | None], *, first: int) -> list[float]:
    return [
        detector.step(pair, START + (first + number) * STEP).index
        for number, pair in enumerate(pairs)
    ]


def test_a_swing_of_the_whole_volume_counts_less_than_an_attack() -> None:
    pairs = _pairs(10, 14, seed=1)
    swinging, _ = _run(pairs)
    attacked, _ = _run(pairs)

    swing = _go_on(swinging, [(2, 7)] * 12, first=14 * DAY)
    attack = _go_on(attacked, [(4, 6)] * 12, first=14 * DAY)

    assert max(attack) > 1.0
    assert max(attack) > 1.4 * max(swing)


@pytest.mark.parametrize(("per_hour", "found_at_least"), [(3, 13), (10, 19)])
def test_an_attack_of_twice_the_volume_is_found_within_the_hour(
    per_hour: float, found_at_least: int
) -> None:
    found = 0
    for seed in range(20):
        detector, _ = _run(_pairs(per_hour, 10, seed=seed, share=0.35))
        rng = random.Random(seed)
        hour = [
            (calm + extra, both + extra)
            for (calm, both), extra in zip(
                _pairs(per_hour, 1, seed=seed + 500, share=0.35)[120:132],
                [poisson(rng, 2 * per_hour / 0.35 / 12) for _ in range(12)],
                strict=True,
            )
        ]
        found += max(_go_on(detector, hour, first=10 * DAY + 120)) >= 1.0
    assert found >= found_at_least


def test_a_quiet_change_for_the_worse_is_found_within_a_day() -> None:
    detector, before = _run(_pairs(12, 21, seed=3), config=SLOW_SHARE)

    readings = _go_on(detector, _pairs(24, 1, seed=4, share=0.6), first=21 * DAY)

    assert max(readings) > 1.5 * max(before[5 * DAY :])


def test_where_only_negatives_are_heard_the_volume_decides_alone() -> None:
    pairs = [(count, count) for count in background(10, 10, seed=5)]
    detector, _ = _run(pairs)

    assert max(_go_on(detector, [(12, 12)] * 6, first=10 * DAY)) > 1.0


def test_its_state_goes_through_json_without_a_trace() -> None:
    pairs = _pairs(10, 6, seed=6)
    whole, _ = _run(pairs)
    stopped, _ = _run(pairs[: 5 * DAY])

    restored = ShareDetector.from_state(json.loads(json.dumps(stopped.to_state())), ATTACK)
    _go_on(restored, pairs[5 * DAY :], first=5 * DAY)

    assert restored.to_state() == whole.to_state()


def test_a_state_of_another_configuration_is_refused() -> None:
    with pytest.raises(InputError, match="replay the stored counts"):
        ShareDetector.from_state(ShareDetector(ATTACK).to_state(), SLOW_SHARE)


def test_silence_is_no_calm_and_teaches_nothing() -> None:
    detector, _ = _run(_pairs(10, 8, seed=7))
    (index, *_) = _go_on(detector, [(30, 40)], first=8 * DAY)
    before = detector.to_state()

    silent = _go_on(detector, [None] * 100, first=8 * DAY + 1)

    assert set(silent) == {index}
    assert not detector.reading.is_known
    assert detector.to_state()["share"] == before["share"]
    assert detector.to_state()["volume"] == before["volume"]


def test_open_buckets_can_raise_the_index_and_teach_nothing() -> None:
    detector, _ = _run(_pairs(10, 8, seed=8))
    before = detector.to_state()

    seen = detector.look_ahead([(0, 0), (25, 30)])
    nothing = detector.look_ahead([(0, 0), (0, 0)])

    assert seen.index > 1.0 > nothing.index
    assert detector.to_state() == before


def test_a_share_of_few_says_little() -> None:
    assert share_surprise(0, 0, 0) == 0
    assert share_surprise(3, 3, 1.05) < 2.5 < share_surprise(30, 30, 10.5) / 3
    assert share_surprise(10, 30, 10) == pytest.approx(0)
