"""What all of a brand's series find together: `python -m tests.benchmarks.bench_attacks`.

Attacks are injected into brands of many shapes: made up (calm to very bursty, with a daily and
a weekly rhythm, of which negatives and the rest share a part), and, where the shared data is,
published mention volumes thinned to a brand's size, without their labelled windows. An attack
of 2x is twice the brand's mean volume of all mentions, all of it negative; of poor labels a
part is taken for something else.

Three settings: the index at 1.0; at the threshold that a budget of one false alarm a week
chooses from the four weeks before (as production does); and the five shapes that a peer
publishes. Nothing here was tuned on the labelled windows.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, pi, sin, sqrt

from sentiment.bursts.budget import choose_index
from sentiment.bursts.config import HOUR_S
from sentiment.bursts.counts import ALL, REACH, RISK, SHARE
from sentiment.bursts.rules import OnePerIncident
from sentiment.bursts.series import Detector, Series, brand_series, make_detector, weight_of
from tests.conftest import SHARED
from tests.sentiment.burst_series import DAY, START, STEP, poisson

WEEK = 7 * DAY
#: Weeks that a budget is chosen from, and that are judged after them.
LEARNED, JUDGED = 4, 4
ATTACKS = 40
MULTIPLES = (1, 2, 5)
LIMITS = (6, 12, 72)
SHARE_NEGATIVE = 0.35
PEER_SHAPES = ((0.5, 10), (2, 20), (4, 50), (10, 50), (10, 100))

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """A brand: its negatives and all mentions by five minutes, and what must not be judged."""

    name: str
    pairs: Sequence[Pair]
    labelled: frozenset[int] = frozenset()


class Brand:
    """All series of one brand that need no more than counts, weighed as in production."""

    def __init__(self) -> None:
        self._all: list[tuple[Series, Detector]] = [
            (one, make_detector(one.config))
            for one in brand_series(1)
            if one.kind not in {ALL, REACH, RISK}
        ]

    def step(self, pair: Pair, at: datetime) -> float:
        """Return the brand's index, 0 before it is ready."""
        index = 0.0
        for series, detector in self._all:
            reading = detector.step(pair if series.kind == SHARE else pair[0], at)
            if reading.is_ready:
                index = max(index, weight_of(*series[1:]) * reading.index)
        return index


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--missed", type=float, default=0.0, help="share of an attack's labels")
    parser.add_argument("--attacks", type=int, default=ATTACKS, help="of each size, per brand")
    parser.add_argument("--peer", action="store_true", help="only the peer's five shapes")
    given = parser.parse_args()
    peer_shapes()
    if given.peer:
        return
    rows = []
    for shape in (*made_up(), *published()):
        row = judge(shape, given.missed, given.attacks)
        rows.append((shape.name, row))
        print(f"{shape.name:28} {_told(row[0])} | budget {_told(row[1])}", flush=True)
    for kind in ("made up", "published", ""):
        chosen = [row for name, row in rows if name.startswith(kind)]
        if chosen:
            means = [
                [sum(row[way][n] for row in chosen) / len(chosen) for n in range(len(chosen[0][0]))]
                for way in (0, 1)
            ]
            print(f"mean {kind or 'of all':23} {_told(means[0])} | budget {_told(means[1])}")


def _told(row: Sequence[float]) -> str:
    index, false, *found = row
    parts = [
        f"{multiple}x " + "/".join(f"{100 * share:.0f}" for share in found[3 * n : 3 * n + 3])
        for n, multiple in enumerate(MULTIPLES)
    ]
    return f"at {index:.2f}: {false:.2f} false a week; " + "; ".join(parts) + " %"


def judge(shape: Shape, missed: float, attacks: int) -> list[list[float]]:
    """Return index, false alarms a week and shares found, at 1.0 and at the budget's index."""
    rng = random.Random(99)
    first, last = LEARNED * WEEK, len(shape.pairs) - max(LIMITS)
    starts = set(rng.sample(range(first, last), attacks))
    mean = sum(both for _, both in shape.pairs) / len(shape.pairs)
    brand, path = Brand(), []
    injected: dict[int, list[tuple[int, list[float]]]] = {one: [] for one in MULTIPLES}
    for step, pair in enumerate(shape.pairs):
        if step in starts:
            for multiple, found in injected.items():
                attacked = copy.deepcopy(brand)
                found.append((step, list(_attack(attacked, shape, step, multiple * mean, missed))))
        path.append(brand.step(pair, START + step * STEP))
    hours = [
        (START + at * STEP, max(path[at : at + 12])) for at in range(DAY, first, HOUR_S // 300)
    ]
    return [_row(shape, path, injected, index) for index in (1.0, choose_index(hours, 1.0, HOUR_S))]


def _attack(brand: Brand, shape: Shape, step: int, rate: float, missed: float) -> Iterator[float]:
    rng = random.Random(step)
    for at in range(step, step + max(LIMITS)):
        negatives, both = shape.pairs[at]
        seen, unseen = poisson(rng, rate * (1 - missed)), poisson(rng, rate * missed)
        pair = (negatives + seen, both + seen + unseen)
        yield brand.step(pair, START + at * STEP)


def _row(
    shape: Shape,
    path: Sequence[float],
    injected: dict[int, list[tuple[int, list[float]]]],
    index: float,
) -> list[float]:
    rule = OnePerIncident(arming=index, quiet_s=86_400, growth=2.0)
    before: dict[int, dict[str, float | None]] = {}
    starts = {start for found in injected.values() for start, _ in found}
    false = 0
    for step, value in enumerate(path):
        if step in starts:
            before[step] = rule.to_state()
        is_alert = rule.lets_through(value, step * 300.0)
        false += is_alert and step >= LEARNED * WEEK and step not in shape.labelled
    judged = len(path) - LEARNED * WEEK - len([s for s in shape.labelled if s >= LEARNED * WEEK])
    row = [index, false / (judged / WEEK)]
    for found in injected.values():
        delays = []
        for start, values in found:
            told = OnePerIncident(arming=index, quiet_s=86_400, growth=2.0)
            told.restore(before[start])
            hits = (
                n for n, one in enumerate(values) if told.lets_through(one, (start + n) * 300.0)
            )
            delays.append(next(hits, 10**6))
        row += [sum(delay < limit for delay in delays) / len(delays) for limit in LIMITS]
    return row


def made_up() -> Iterator[Shape]:
    """Give brands from 0.7 to 50 negatives an hour, from calm to very bursty."""
    for per_hour in (0.7, 3, 12, 50):
        for spread, hours in ((0.0, 1.0), (0.4, 2.0), (0.7, 4.0), (1.0, 3.0)):
            rng = random.Random(f"{per_hour} {spread}")
            common = _swings(rng, 0.7 * spread, hours)
            of_negatives = _swings(rng, max(0.7 * spread, 0.15), hours)
            of_rest = _swings(rng, max(0.4 * spread, 0.15), hours)
            pairs = []
            for step in range((LEARNED + JUDGED) * WEEK):
                rhythm = (1 + 0.8 * sin(2 * pi * (step / DAY - 0.4))) * (
                    0.7 if step // DAY % 7 >= 5 else 1.0
                )
                rate = per_hour / 12 * rhythm * next(common)
                negatives = poisson(rng, rate * next(of_negatives))
                others = (1 - SHARE_NEGATIVE) / SHARE_NEGATIVE * rate
                rest = poisson(rng, others * next(of_rest))
                pairs.append((negatives, negatives + rest))
            yield Shape(f"made up {per_hour:g}/h, spread {spread:g}", pairs)


def _swings(rng: random.Random, spread: float, hours: float) -> Iterator[float]:
    """Give a factor of mean 1 that wanders: the log is autoregressive."""
    keep, value = exp(-1 / (hours * 12)), 0.0
    while True:
        value = keep * value + rng.gauss(0, spread * sqrt(1 - keep * keep))
        yield exp(value - spread * spread / 2)


def published() -> Iterator[Shape]:
    """Give the published volumes, thinned; their share of negatives wanders."""
    bursts = SHARED / "data" / "bursts"
    if not bursts.exists():
        print(f"published volumes: not measured, no shared data at {SHARED}")
        return
    windows = json.loads((bursts / "windows.json").read_text())
    for name, labelled in windows.items():
        with (bursts / name).open() as file:
            rows = [(row["timestamp"], int(float(row["value"]))) for row in csv.DictReader(file)]
        inside = frozenset(
            step
            for step, (stamp, _) in enumerate(rows)
            if any(begin.split(".")[0] <= stamp <= end.split(".")[0] for begin, end in labelled)
        )
        for per_hour in (2, 10, 50):
            rng = random.Random(f"{name} {per_hour}")
            mean = sum(count for _, count in rows) / len(rows)
            keep = min(1.0, per_hour / SHARE_NEGATIVE / 12 / mean)
            share, pairs = _swings(rng, 0.3, 8.0), []
            for _, count in rows:
                both = poisson(rng, count * keep)
                part = min(max(SHARE_NEGATIVE * next(share), 0.02), 0.9)
                pairs.append((sum(rng.random() < part for _ in range(both)), both))
            yield Shape(f"published {name.split('_')[-1][:-4]}, {per_hour}/h", pairs, inside)


def peer_shapes() -> None:
    """Print how soon the five attack shapes published by a peer are found."""
    print("attack shapes (a peer needs 13 to 33 h), 40 draws of each, two weeks learned:")
    for calm, attack in PEER_SHAPES:
        minutes = []
        for seed in range(40):
            rng = random.Random(seed)
            rates = (calm / 12, calm / SHARE_NEGATIVE * (1 - SHARE_NEGATIVE) / 12)
            brand = Brand()
            found = 10**6
            for step in range(14 * DAY + 72):
                more = attack / 12 if step >= 14 * DAY else 0.0
                negatives = poisson(rng, rates[0] + more)
                pair = (negatives, negatives + poisson(rng, rates[1]))
                if brand.step(pair, START + step * STEP) >= 1 and step >= 14 * DAY:
                    found = min(found, step - 14 * DAY + 1)
                    break
            minutes.append(found * 5)
        minutes.sort()
        within = sum(one <= 60 for one in minutes) / len(minutes)
        print(
            f"  {calm}/h + {attack}/h: median {minutes[20]} min, slowest {minutes[-1]} min, "
            f"{within:.0%} within the hour",
            flush=True,
        )


if __name__ == "__main__":
    main()
