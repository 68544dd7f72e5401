"""Scoring a CSV of counts: the production detector, and clear words on a bad file."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from config.errors import InputError
from sentiment.burst import BurstDetector
from sentiment.detect_csv import WATCH_INDEX, detect_csv
from tests.conftest import SHARED

START = datetime(2026, 1, 5, 0, 2, 53, tzinfo=UTC)


def write_counts(path: Path, counts: list[int], *, step: timedelta = timedelta(minutes=5)) -> Path:
    lines = [f"{START + i * step:%Y-%m-%d %H:%M:%S},{count}" for i, count in enumerate(counts)]
    path.write_text("\n".join(["timestamp,value", *lines, ""]))
    return path


def read_scores(path: Path) -> list[tuple[str, float]]:
    with path.open() as file:
        return [(row["timestamp"], float(row["anomaly_score"])) for row in csv.DictReader(file)]


def counts_with_a_burst() -> list[int]:
    rng = random.Random(3)
    return [rng.randrange(4) for _ in range(10 * 288)] + [40] * 12 + [1] * 12


def test_each_row_gets_a_score_and_the_burst_one_alert(tmp_path: Path) -> None:
    counts = counts_with_a_burst()
    source = write_counts(tmp_path / "in.csv", counts)

    rows = detect_csv(source, tmp_path / "out.csv")

    scores = read_scores(tmp_path / "out.csv")
    assert rows == len(scores) == len(counts)
    assert scores[0][0] == "2026-01-05 00:02:53"
    alerts = [i for i, (_, score) in enumerate(scores) if score >= 1.0]
    assert alerts
    assert 10 * 288 <= alerts[0] < 10 * 288 + 3
    weaker = [score for _, score in scores if 0 < score < 1.0]
    assert all(score >= WATCH_INDEX for score in weaker)


def test_the_scores_are_the_production_detectors(tmp_path: Path) -> None:
    counts = counts_with_a_burst()
    source = write_counts(tmp_path / "in.csv", counts)
    detector = BurstDetector()

    detect_csv(source, tmp_path / "out.csv")

    readings = [
        detector.step(count, START + i * timedelta(minutes=5)) for i, count in enumerate(counts)
    ]
    alerted = [(i, round(one.index, 6)) for i, one in enumerate(readings) if one.is_alert]
    scores = read_scores(tmp_path / "out.csv")
    assert alerted == [(i, score) for i, (_, score) in enumerate(scores) if score >= 1.0]


def test_a_score_needs_no_later_row(tmp_path: Path) -> None:
    counts = counts_with_a_burst()
    write_counts(tmp_path / "whole.csv", counts)
    write_counts(tmp_path / "half.csv", counts[: len(counts) - 20])

    detect_csv(tmp_path / "whole.csv", tmp_path / "whole_out.csv")
    detect_csv(tmp_path / "half.csv", tmp_path / "half_out.csv")

    half = read_scores(tmp_path / "half_out.csv")
    assert read_scores(tmp_path / "whole_out.csv")[: len(half)] == half


def test_other_steps_zones_columns_and_gaps_are_understood(tmp_path: Path) -> None:
    lines = [
        f"x,{(START + i * timedelta(minutes=15)).isoformat()},{1 + i % 2}"
        for i in range(400)
        if not 200 <= i < 230
    ]
    (tmp_path / "in.csv").write_text("\ufeffnote,timestamp,value\r\n" + "\r\n".join(lines))

    assert detect_csv(tmp_path / "in.csv", tmp_path / "out.csv") == 370
    assert len(read_scores(tmp_path / "out.csv")) == 370


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: no column timestamp and no column value"),
        ("time,value\n2026-01-01 00:00:00,1\n", r"line 1: no column timestamp"),
        ("timestamp,value\n", r"no rows"),
        (
            "timestamp,value\n2026-01-01 00:00:00,1\nyesterday,2\n",
            r"line 3: 'yesterday' is no time",
        ),
        ("timestamp,value\n2026-01-01 00:00:00,many\n", r"line 2: 'many' is no count"),
        ("timestamp,value\n2026-01-01 00:00:00,-3\n", r"line 2: '-3' is no count"),
        ("timestamp,value\n2026-01-01 00:00:00,nan\n", r"line 2: 'nan' is no count"),
        ("timestamp,value\n2026-01-01 00:00:00\n", r"line 2: '' is no count"),
        (
            "timestamp,value\n2026-01-01 00:05:00,1\n2026-01-01 00:00:00,1\n",
            r"line 3: 2026-01-01 00:00:00 is not later",
        ),
        (
            "timestamp,value\n2026-01-01 00:05:00,1\n2026-01-01 00:05:00,1\n",
            r"line 3: .* keep each time once",
        ),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,1\n", r"mostly 86400 s apart"),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_nothing_is_written(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "in.csv").write_text(text)

    with pytest.raises(InputError, match=message):
        detect_csv(tmp_path / "in.csv", tmp_path / "out.csv")

    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"timestamp,value\n\xff\xfe\xfa")

    with pytest.raises(InputError, match=r"missing\.csv cannot be read"):
        detect_csv(tmp_path / "missing.csv", tmp_path / "out.csv")
    with pytest.raises(InputError, match="not UTF-8"):
        detect_csv(tmp_path / "binary.csv", tmp_path / "out.csv")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    source = write_counts(tmp_path / "in.csv", [1, 2, 3])

    with pytest.raises(InputError, match="cannot be written"):
        detect_csv(source, tmp_path / "nowhere" / "out.csv")


@pytest.fixture
def nab() -> ModuleType:
    """Give the shared scorer of the published benchmark, or skip."""
    path = SHARED / "tools" / "nab_score.py"
    if not path.exists() or not (SHARED / "data" / "bursts").exists():
        pytest.skip(f"the shared burst data is not at {SHARED}")
    pytest.importorskip("pandas")
    spec = importlib.util.spec_from_file_location("nab_score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # Its dataclass looks itself up there.
        patch.setitem(sys.modules, "nab_score", module)
        spec.loader.exec_module(module)
    return module


def test_published_bursts_are_found_at_the_fixed_index(nab: ModuleType, tmp_path: Path) -> None:
    bursts = SHARED / "data" / "bursts"
    windows = json.loads((bursts / "windows.json").read_text())
    for name in windows:
        detect_csv(bursts / name, tmp_path / name)

    fixed = nab.evaluate(windows, tmp_path, threshold=1.0)
    best = nab.evaluate(windows, tmp_path)

    assert fixed["score"] >= 79
    assert best["score"] >= 81
    assert 0.8 <= best["threshold"] <= 1.25
