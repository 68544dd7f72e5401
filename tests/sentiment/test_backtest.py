"""Backtests: the stored history, replayed through the production detectors."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from api.cli import app
from config.clock import utc_now
from config.errors import InputError
from sentiment.backtest import Backtest, backtest
from sentiment.bursts.listening import STEP_S
from sentiment.rollups import bucket_of
from tests.sentiment.burst_series import START, background
from tests.sentiment.burst_volumes import add_brand, store_counts

DAYS = 30
END = START + timedelta(days=DAYS)
#: When the made-up attack of an hour began.
ATTACK = START + timedelta(days=20, hours=14)


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    brand_id = add_brand(sessions, START)
    store_counts(sessions, brand_id, START, background(10, DAYS, seed=4))
    store_counts(sessions, brand_id, ATTACK, [20] * 12)
    return brand_id


def _replay(
    sessions: sessionmaker[Session], brand_id: int, *, days: int = 28, **how: float
) -> Backtest:
    with sessions() as session:
        return backtest(session, brand_id, until=END, length=timedelta(days=days), **how)


def test_the_attack_is_found_when_it_was(sessions: sessionmaker[Session], brand_id: int) -> None:
    found = _replay(sessions, brand_id, alert_index=1.5)

    alert = found.alerts[0]
    assert ATTACK < alert.at <= ATTACK + timedelta(minutes=15)
    assert alert.seen > 4 * alert.expected
    assert {one.at.date() for one in found.alerts} == {ATTACK.date()}
    assert all(later.index >= 2 * one.index for one, later in pairwise(found.alerts))
    assert (found.since, found.until) == (END - timedelta(days=28), END)
    assert len(found.days) == 28
    assert max(found.days, key=lambda day: day.highest_index).day == ATTACK.date()
    assert sum(day.negatives for day in found.days) > 28 * 200


def test_a_higher_threshold_never_alerts_more_often(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    choices = _replay(sessions, brand_id).choices

    alerts = [choice.alerts for choice in choices]
    assert alerts == sorted(alerts, reverse=True)
    assert alerts[0] > alerts[-1]
    assert choices[0].per_week == pytest.approx(alerts[0] / 4)


@pytest.mark.parametrize("per_week", [0.0, 0.25, 2.0])
def test_a_budget_of_alerts_gives_the_lowest_threshold_that_keeps_it(
    sessions: sessionmaker[Session], brand_id: int, per_week: float
) -> None:
    found = _replay(sessions, brand_id, per_week=per_week)

    chosen = next(one for one in found.choices if one.alert_index == found.alert_index)
    assert chosen.alerts == sum(one.is_new for one in found.alerts) <= per_week * 4
    if found.alert_index > 0.5:
        lower = _replay(sessions, brand_id, alert_index=found.alert_index - 0.05)
        assert sum(one.is_new for one in lower.alerts) > per_week * 4


def test_a_short_look_back_learns_from_the_days_before_it(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    found = _replay(sessions, brand_id, days=12, alert_index=1.5)

    assert len(found.days) == 12
    assert {alert.at.date() for alert in found.alerts} == {ATTACK.date()}


def test_a_brand_without_history_has_nothing_to_replay(sessions: sessionmaker[Session]) -> None:
    found = _replay(sessions, add_brand(sessions, START))

    assert (found.days, found.alerts) == ((), ())


def test_the_command_shows_alerts_and_writes_all_figures(
    sessions: sessionmaker[Session],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DATABASE_URL", database_url)
    page = tmp_path / "drawn.html"
    now = bucket_of(utc_now(), STEP_S)
    brand_id = add_brand(sessions, START)
    store_counts(sessions, brand_id, now - timedelta(days=14), background(10, 14, seed=4))
    store_counts(sessions, brand_id, now - timedelta(days=1), [30] * 6)
    run = CliRunner()

    shown = run.invoke(app, ["backtest", "--days", "7", "--alert-index", "2", "--html", str(page)])
    written = run.invoke(app, ["backtest", "--brand", "acme", "--per-week", "1", "--json", "-"])

    assert shown.exit_code == 0, shown.output
    assert "alerts at index 2 from" in shown.output
    assert "█" in shown.output
    assert "False-alarm budgets" in shown.output
    assert "▲" in shown.output
    assert page.read_text().count("<svg") >= 3
    figures = orjson.loads(written.stdout)
    assert figures["brand"] == "acme"
    assert len(figures["alerts"]) <= 2
    assert {"alert_index", "alerts", "per_week"} == set(figures["choices"][0])


def test_the_command_asks_which_of_several_brands(
    sessions: sessionmaker[Session], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DATABASE_URL", database_url)
    for key in ("acme", "other"):
        add_brand(sessions, START, key)

    result = CliRunner().invoke(app, ["backtest"])

    assert isinstance(result.exception, InputError)
    assert "acme, other" in str(result.exception)
