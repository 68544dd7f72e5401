"""The next hours: intervals that hold what comes, and nothing absurd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from sentiment.forecast import PATHS, forecast_paths, range_of, sums_of_draws
from sentiment.models import Volume
from sentiment.ordinary import count_label, heard_since, ordinary_hours
from tests.make import make_brand

STEPS = 24


def _attack(seed: int, *, grows: int, peak: float) -> np.ndarray:
    """Return counts by the quarter of an hour: a calm day, a rise, and a decay of hours."""
    chance = np.random.default_rng(seed)
    calm = np.full(72, 3.0)
    rise = np.linspace(3.0, peak, grows)
    decay = 3.0 + (peak - 3.0) * 0.5 ** (np.arange(96) / 16)
    noisy = np.concatenate([calm, rise, decay]) * chance.gamma(8.0, 1 / 8.0, 72 + grows + 96)
    return chance.poisson(noisy)


def test_about_four_in_five_intervals_hold_what_came() -> None:
    held = []
    for seed in range(60):
        counts = _attack(seed, grows=8, peak=60.0)
        for now in (60, 90, 100, 120, 140):
            paths = forecast_paths(counts[:now].tolist(), STEPS)
            assert paths is not None
            found = range_of(paths.sum(axis=1))
            held.append(found.low <= counts[now : now + STEPS].sum() <= found.high)

    assert 0.7 <= np.mean(held) <= 0.95


def test_what_grows_goes_on_for_a_while_and_not_for_ever() -> None:
    growing = [3.0] * 20 + [5, 8, 13, 20, 31, 48]

    paths = forecast_paths(growing, STEPS)

    assert paths is not None
    assert paths.shape == (PATHS, STEPS)
    assert range_of(paths[:, 0]).middle > 30
    assert paths.max() <= 4 * 48 + 1e-6
    assert range_of(paths[:, -1]).middle < range_of(paths[:, 2]).middle


@pytest.mark.parametrize("counts", [[], [5.0] * 7, [0.0] * 96])
def test_nothing_is_said_where_nothing_is_known(counts: list[float]) -> None:
    assert forecast_paths(counts, STEPS) is None


def test_the_same_counts_give_the_same_forecast_and_even_ones_are_not_certain() -> None:
    once, again = forecast_paths([10.0] * 40, STEPS), forecast_paths([10.0] * 40, STEPS)

    assert once is not None
    assert again is not None
    assert np.array_equal(once, again)
    found = range_of(once.sum(axis=1))
    assert found.low < 10 * STEPS < found.high


def test_reach_is_drawn_from_what_accounts_have() -> None:
    few = sums_of_draws(np.full(400, 10.0), [0, 0, 0, 0, 1_000_000])
    many = sums_of_draws(np.full(400, 1000.0), [100] * 50)

    assert set(np.unique(few)) <= {float(number) * 1_000_000 * 2 for number in range(6)}
    assert range_of(few).low < range_of(few).high
    assert np.allclose(many, 100_000)
    assert not sums_of_draws(np.zeros(3), [5]).any()
    assert not sums_of_draws(np.ones(3), []).any()


def test_an_ordinary_day_is_that_of_the_days_before(sessions: sessionmaker[Session]) -> None:
    until = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
    with sessions.begin() as session:
        brand = make_brand(session)
        rows = [
            {
                "brand_id": brand.id,
                "grain_s": 3600,
                "bucket_at": until - timedelta(hours=number),
                "platform": "x",
                "label": "negative",
                "mentions": 20 if (until - timedelta(hours=number)).hour == 9 else 2,
                "score_sum": 0.0,
            }
            for number in range(1, 24 * 10 + 1)
        ]
        key = ("brand_id", "grain_s", "bucket_at", "platform", "label")
        upsert(session, Volume, rows, key=key, add_columns=["mentions", "score_sum"])
    with sessions() as session:
        heard = heard_since(session, brand.id)
        counts = count_label(
            session,
            brand.id,
            "negative",
            since=until - timedelta(days=28),
            until=until,
            grain_s=3600,
        )

    usual = ordinary_hours(counts, heard=heard, until=until)

    assert heard == until - timedelta(days=10)
    assert usual is not None
    assert usual[9].middle == 20
    assert usual[3].middle == 2
    assert ordinary_hours(counts, heard=until - timedelta(days=6), until=until) is None
    assert ordinary_hours({}, heard=None, until=until) is None
