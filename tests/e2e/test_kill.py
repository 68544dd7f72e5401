"""A few kills; tests/benchmarks/bench_kill.py does fifty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.runtime import make_pipeline, open_runtime
from config.clock import utc_now
from config.settings import load_settings
from tests.e2e.homes import Home
from tests.e2e.kills import LEASES_OVER, Killing
from tests.networks import RemoteControl, spawned_networks


@pytest.fixture(scope="module")
def networks() -> Iterator[RemoteControl]:
    with spawned_networks() as networks:
        yield networks


def test_nothing_is_lost_or_doubled_when_run_is_killed(
    database_url: str, tmp_path: Path, networks: RemoteControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks.control.reset()
    home = Home(tmp_path / "home", database_url)
    killing = Killing(home, networks, rounds=3, seed=os.getpid())

    killing.run()

    killing.import_again()
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    with open_runtime(load_settings()) as opened:
        pipeline = make_pipeline(opened)
        pipeline.run_once()
        # What was claimed by a process that was killed is sent again when its lease is over.
        pipeline.clock = lambda: utc_now() + LEASES_OVER
        for _ in range(3):
            pipeline.run_once()
    found = killing.assert_whole()
    assert found["alerts"] >= 3
