"""A false-alarm budget: chosen from a brand's own hours, kept through restarts."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.db import make_sessions
from sentiment.bursts.budget import LEAST_HOURS, budget_index, choose_index, try_index
from sentiment.bursts.service import forget_bursts, step_bursts
from sentiment.models import BurstHour
from tests.crm_link.making import MovableClock
from tests.sentiment.burst_series import START, background
from tests.sentiment.burst_volumes import add_brand, store_counts

HOUR = timedelta(hours=1)
NOW = START + timedelta(days=11)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.bursts.service.BUDGET_S", 600.0)


def _path(weeks: int, *peaks: tuple[int, float]) -> list[tuple[datetime, float]]:
    high = dict(peaks)
    return [(START + hour * HOUR, high.get(hour, 0.2)) for hour in range(weeks * 168)]


def test_the_lowest_threshold_that_keeps_the_budget_is_chosen() -> None:
    path = _path(4, (100, 0.9), (200, 1.4), (300, 0.7), (400, 3.0), (500, 0.6), (600, 1.1))

    assert choose_index(path, 1.0, 3600) == pytest.approx(0.75)
    assert try_index(path, choose_index(path, 1.0, 3600), 3600).alerts == 4
    assert choose_index(path, 0.25, 3600) > 1.4
    assert choose_index(path, 10.0, 3600) == 0.5


def test_an_incident_that_doubles_is_one_alarm() -> None:
    path = _path(1, (50, 1.0), (52, 2.5), (54, 6.0))

    assert try_index(path, 0.8, 3600).alerts == 1


def _hours(sessions: sessionmaker[Session], brand_id: int) -> list[tuple[datetime, float]]:
    with sessions() as session:
        rows = session.execute(
            select(BurstHour.hour_at, BurstHour.burst_index)
            .where(BurstHour.brand_id == brand_id)
            .order_by(BurstHour.hour_at)
        ).all()
    return [(at, index) for at, index in rows]


def test_hours_are_kept_with_the_states_and_a_restart_changes_nothing(
    sessions: sessionmaker[Session],
) -> None:
    clock, rng = MovableClock(NOW), random.Random(1)
    brands = [add_brand(sessions, START, key) for key in ("one", "two")]
    for brand_id in brands:
        store_counts(sessions, brand_id, START, background(10, 11, seed=3))
    step_bursts(sessions, clock=clock)
    with sessions() as session:
        assert {len(_hours(sessions, one)) for one in brands} == {9 * 24}
        calm = budget_index(session, brands[0], 1.0, NOW)
    assert 0.5 <= calm < 1.0
    for number in range(24):
        for brand_id in brands:
            store_counts(sessions, brand_id, clock(), [30 if number == 20 else rng.randint(0, 2)])
        clock.forward(minutes=5)
        step_bursts(sessions, clock=clock)
        if number % 5 == 0:
            sessions = make_sessions(sessions.kw["bind"])
    hours = _hours(sessions, brands[0])
    assert hours[-1][1] > 1
    # The newest day is left out: what goes on now does not raise its own bar.
    with sessions() as session:
        assert budget_index(session, brands[0], 1.0, clock()) == calm

    # A back-fill changes no hour that has passed.
    store_counts(sessions, brands[0], NOW - timedelta(days=2), [300] * 12)
    clock.forward(minutes=1)
    step_bursts(sessions, clock=clock)
    assert _hours(sessions, brands[0])[: len(hours) - 1] == hours[:-1]


def test_a_short_past_chooses_nothing(sessions: sessionmaker[Session]) -> None:
    brand_id = add_brand(sessions, START)
    with sessions.begin() as session:
        session.add_all(
            BurstHour(brand_id=brand_id, hour_at=NOW - (26 + hour) * HOUR, burst_index=0.1)
            for hour in range(LEAST_HOURS - 1)
        )
    with sessions() as session:
        assert budget_index(session, brand_id, 1.0, NOW) == 1.0
    with sessions.begin() as session:
        session.add(BurstHour(brand_id=brand_id, hour_at=NOW - 25 * HOUR, burst_index=0.1))
    with sessions() as session:
        assert budget_index(session, brand_id, 1.0, NOW) == 0.5
    with sessions.begin() as session:
        forget_bursts(session, [brand_id])
    assert _hours(sessions, brand_id) == []
