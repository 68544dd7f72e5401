"""A few kills of the write-back; tests/benchmarks/bench_crm_kill.py does two hundred."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.crm_killing import run


def test_nothing_is_lost_or_repeated_when_the_write_back_is_killed(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(database_url, "hubspot", tmp_path, kills=3, undo_kills=1, seed=os.getpid())

    assert "0 lost, 0 repeated" in capsys.readouterr().out
