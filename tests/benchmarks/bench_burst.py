"""What the burst detector costs and finds: `python -m tests.benchmarks.bench_burst`.

Prints the time of a step, attacks found on made-up negative series, and, where the shared data
is, the totals of the published benchmark on the five brands there: all three profiles, the
leave-one-brand-out threshold, and the floor that alerts by the calendar alone.
"""

from __future__ import annotations

import copy
import csv
import importlib.util
import json
import math
import random
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from types import ModuleType

from sentiment.burst import BurstDetector
from sentiment.detect_csv import detect_csv
from tests.conftest import SHARED
from tests.sentiment.burst_series import DAY, START, STEP, background, poisson

WEEKS = 12
TRAINING_DAYS = 14
ATTACKS = 60
#: Share of negatives among a brand's mentions; an attack is stated in multiples of all of them.
NEGATIVE_SHARE = 0.25
SHAPES = ((0.5, 10), (2, 20), (4, 50), (10, 50), (10, 100))
RESTORES = 500
#: An alert every so many rows, whatever they hold: the published floor.
FLOOR_ROWS = 400


def main() -> None:
    """Print every figure."""
    step_time()
    attacks()
    shapes()
    if (SHARED / "data" / "bursts").exists() and importlib.util.find_spec("pandas"):
        published()
    else:
        print(f"published bursts: not measured, no shared data at {SHARED} or no pandas here")


def step_time() -> None:
    """Print the mean time of a step and the size of a state."""
    counts = background(20, 30, seed=1, spread=0.5)[:-3]
    detector = BurstDetector()
    began = perf_counter()
    for step, count in enumerate(counts):
        detector.step(count, START + step * STEP)
    taken = perf_counter() - began
    stored = json.dumps(detector.to_state())
    began = perf_counter()
    for _ in range(RESTORES):
        restored = BurstDetector.from_state(json.loads(stored))
        restored.step(1.0, START + len(counts) * STEP + timedelta(minutes=5))
        json.dumps(restored.to_state())
    taken_with_state = perf_counter() - began
    print(
        f"step: {1e6 * taken / len(counts):.1f} us; state: {len(stored)} bytes of JSON; "
        f"read state, step, write state: {1e6 * taken_with_state / RESTORES:.0f} us"
    )


def attacks() -> None:
    """Print the share of injected attacks found, and the false alerts, by rate and spread."""
    print(f"attacks on negatives ({NEGATIVE_SHARE:.0%} of the volume), within 30 min / 1 h / 6 h:")
    for per_hour in (0.5, 2, 10, 50, 300):
        for spread in (0.0, 0.5, 1.0):
            counts = background(per_hour, WEEKS * 7, seed=int(per_hour * 10), spread=spread)
            false_alerts, found = _attack(counts, per_hour)
            print(
                f"  {per_hour:5} negatives/h, spread {spread}: {false_alerts:.2f} false a week",
                end="",
            )
            for multiple, minutes in found.items():
                shares = [sum(m <= limit for m in minutes) / ATTACKS for limit in (30, 60, 360)]
                print(f"; {multiple}x " + " / ".join(f"{share:.0%}" for share in shares), end="")
            print()


def _attack(counts: list[float], per_hour: float) -> tuple[float, dict[int, list[float]]]:
    rng = random.Random(99)
    starts = set(rng.sample(range(TRAINING_DAYS * DAY, len(counts) - 72), ATTACKS))
    found: dict[int, list[float]] = {1: [], 2: [], 5: []}
    detector, false_alerts = BurstDetector(), 0
    for step, count in enumerate(counts):
        if step in starts:
            state = detector.to_state()
            for multiple, minutes in found.items():
                extra = multiple * per_hour / NEGATIVE_SHARE / 12
                attacked = BurstDetector.from_state(copy.deepcopy(state))
                minutes.append(
                    _minutes_to_alert(
                        attacked, [c + poisson(rng, extra) for c in counts[step : step + 72]], step
                    )
                )
        false_alerts += detector.step(count, START + step * STEP).is_alert
    return false_alerts / WEEKS, found


def _minutes_to_alert(detector: BurstDetector, counts: list[float], first: int) -> float:
    for number, count in enumerate(counts):
        if detector.step(count, START + (first + number) * STEP).is_alert:
            return (number + 1) * STEP.total_seconds() / 60
    return math.inf


def shapes() -> None:
    """Print how soon the five attack shapes published by a peer are found."""
    print("attack shapes (a peer needs 13 to 33 h), 40 draws of each, two weeks learned:")
    for calm, attack in SHAPES:
        minutes = []
        for seed in range(40):
            detector = BurstDetector()
            for step, count in enumerate(background(calm, TRAINING_DAYS, seed=seed, amplitude=0)):
                detector.step(count, START + step * STEP)
            rng = random.Random(seed + 1000)
            burst = [float(poisson(rng, (calm + attack) / 12)) for _ in range(72)]
            minutes.append(_minutes_to_alert(detector, burst, TRAINING_DAYS * DAY))
        minutes.sort()
        within = sum(m <= 60 for m in minutes) / len(minutes)
        median = minutes[len(minutes) // 2]
        print(f"  {calm}/h + {attack}/h: median {median:.0f} min, {within:.0%} within the hour")


def published() -> None:
    """Print the published benchmark's totals on the brands in the shared folder."""
    nab = _scorer()
    bursts = SHARED / "data" / "bursts"
    windows: dict[str, list[list[str]]] = json.loads((bursts / "windows.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        scores, floor = Path(folder) / "scores", Path(folder) / "floor"
        scores.mkdir()
        floor.mkdir()
        for name in windows:
            detect_csv(bursts / name, scores / name)
            _write_floor(scores / name, floor / name)
        for profile, cost in nab.PROFILES.items():
            fixed = nab.evaluate(windows, scores, profile, 1.0)
            best = nab.evaluate(windows, scores, profile)
            files = nab.load(windows, scores, cost)
            print(
                f"published, {len(windows)} brands, {profile}: at 1.0 {_told(fixed)}; optimised "
                f"{_told(best)} at {best['threshold']:.3f}; threshold of the other four brands "
                f"{_left_out(nab, files, cost):.1f}; "
                f"floor {nab.evaluate(windows, floor, profile, 1.0)['score']:.1f}"
            )


def _told(result: dict[str, float]) -> str:
    hit, windows, false = result["hit"], result["windows"], result["false_alert_rows"]
    return f"{result['score']:.1f} ({hit} of {windows} windows, {false} false rows)"


def _left_out(nab: ModuleType, files: dict[str, object], cost: dict[str, float]) -> float:
    """Score each brand at the threshold that is best for the other ones."""
    raw, windows = 0.0, 0
    for name, rows in files.items():
        others = nab.join([other for key, other in files.items() if key != name])
        result = nab.total_at(rows, nab.best_threshold(others, cost), cost)
        raw += result["raw"]
        windows += result["windows"]
    null = -cost["fn"] * windows
    return 100.0 * (raw - null) / (cost["tp"] * windows - null)


def _write_floor(source: Path, target: Path) -> None:
    with source.open() as file:
        stamps = [row["timestamp"] for row in csv.DictReader(file)]
    lines = [f"{stamp},{int(i % FLOOR_ROWS == 0)}" for i, stamp in enumerate(stamps)]
    target.write_text("\n".join(["timestamp,anomaly_score", *lines, ""]))


def _scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nab_score", SHARED / "tools" / "nab_score.py")
    if spec is None or spec.loader is None:
        msg = f"no scorer in {SHARED / 'tools'}"
        raise FileNotFoundError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nab_score"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
