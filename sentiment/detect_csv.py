"""Scores any CSV of counts with the burst detector that runs in production."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from pathlib import Path

from config.errors import InputError
from sentiment.burst import BurstDetector
from sentiment.bursts.config import HOUR_S, BurstConfig
from sentiment.bursts.rules import OnePerIncident

#: Index from which on a row that is no alert still gets a score, so that whoever wants more
#: and weaker alerts can use a threshold down to here. One per incident, too.
WATCH_INDEX = 0.75
#: Steps that the detector can be run on, in seconds: coarser ones have no windows within
#: hours, finer ones are single posts rather than counts.
_STEP_RANGE_S = (60, HOUR_S)
#: So that rounding in the file makes no alert of what is none.
_JUST_BELOW_ALERT = 0.999
_INPUT_COLUMNS = ("timestamp", "value")
_OUTPUT_COLUMNS = ("timestamp", "anomaly_score")


@dataclass(frozen=True, slots=True)
class _Row:
    stamp: str
    at: datetime
    value: float


def detect_csv(in_path: str | Path, out_path: str | Path) -> int:
    """Score every row of `in_path` (columns timestamp, value); return how many rows there were.

    `out_path` gets one row for each (columns timestamp, anomaly_score): the burst index on a
    row that is an alert, so at least 1.0; less than 1.0 on the first row of a weaker burst;
    0 on all others. Each score uses only the rows before it. Times without a zone are taken
    as UTC. The file's commonest distance of rows is its step; rows left out are not known.

    Raises:
        InputError: A file cannot be read or written, or a row is no count at a later time.

    """
    rows = list(_rows(Path(in_path)))
    if not rows:
        msg = f"{in_path} has no rows under its header; give at least one count"
        raise InputError(msg)
    config = replace(BurstConfig(), step_s=_step_s(rows, Path(in_path)))
    _write(Path(out_path), rows, _scores(rows, config))
    return len(rows)


def _scores(rows: list[_Row], config: BurstConfig) -> Iterator[float]:
    detector = BurstDetector(config)
    watch = OnePerIncident(arming=WATCH_INDEX, quiet_s=config.quiet_s, growth=config.growth)
    for row in rows:
        reading = detector.step(row.value, row.at)
        timestamp = row.at.timestamp()
        if reading.is_alert:
            watch.note(reading.index, timestamp)
            yield reading.index
        elif (
            reading.is_ready
            and reading.index < config.alert_index
            and watch.lets_through(reading.index, timestamp)
        ):
            yield min(reading.index, _JUST_BELOW_ALERT)
        else:
            yield 0.0


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in _INPUT_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                msg = (
                    f"{path}, line 1: no column {' and no column '.join(missing)}; "
                    "the header must be timestamp,value"
                )
                raise InputError(msg)
            before: _Row | None = None
            for fields in reader:
                row = _row(fields, f"{path}, line {reader.line_num}")
                if before is not None and row.at <= before.at:
                    msg = (
                        f"{path}, line {reader.line_num}: {row.stamp} is not later than "
                        f"{before.stamp}; sort the rows by time and keep each time once"
                    )
                    raise InputError(msg)
                before = row
                yield row
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise InputError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path} is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8"
        raise InputError(msg) from error
    except csv.Error as error:
        msg = f"{path} is not a CSV file that can be read: {error}"
        raise InputError(msg) from error


def _row(fields: dict[str, str | None], where: str) -> _Row:
    stamp, value = ((fields[name] or "").strip() for name in _INPUT_COLUMNS)
    return _Row(stamp=stamp, at=_time(stamp, where), value=_count(value, where))


def _time(stamp: str, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError as error:
        msg = f"{where}: {stamp!r} is no time; write it like 2026-01-31 13:05:00"
        raise InputError(msg) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _count(value: str, where: str) -> float:
    try:
        count = float(value)
    except ValueError:
        count = -1.0
    if count < 0 or not isfinite(count):
        msg = (
            f"{where}: {value!r} is no count; give a number of 0 or more, "
            "or leave the row out if the count is not known"
        )
        raise InputError(msg)
    return count


def _step_s(rows: list[_Row], path: Path) -> int:
    distances = Counter(round((later.at - row.at).total_seconds()) for row, later in pairwise(rows))
    if not distances:
        return BurstConfig().step_s
    step_s, _ = distances.most_common(1)[0]
    least, most = _STEP_RANGE_S
    if not least <= step_s <= most:
        msg = (
            f"{path}: its rows are mostly {step_s} s apart, but bursts are found in counts per "
            f"{least} to {most} s; count again in such steps, best of 300 s"
        )
        raise InputError(msg)
    return step_s


def _write(path: Path, rows: list[_Row], scores: Iterator[float]) -> None:
    """Write all or nothing: a half-written file would look like a short series."""
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_OUTPUT_COLUMNS)
            writer.writerows(
                (row.stamp, f"{score:.6f}") for row, score in zip(rows, scores, strict=True)
            )
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except OSError as error:
        Path(partial).unlink(missing_ok=True)
        msg = f"{path} cannot be written: {error.strerror}"
        raise InputError(msg) from error
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
