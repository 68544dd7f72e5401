"""How long the burst index of many brands and topics takes: `step_bursts` over ten days.

    python -m tests.benchmarks.bench_bursts [--brands 500] [--topics 10] [--url sqlite:///...]

Every brand has three detectors (negatives fast and slow, all mentions) and every topic one.
The history is short on purpose, so that filling the database takes a minute, not an hour: the
cost of a step does not depend on it.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from listener.models import Brand, Mention
from listener.types import PostKind
from sentiment.bursts import service as bursts
from sentiment.bursts.service import step_bursts
from sentiment.models import BurstState, Volume
from tests.sentiment.burst_series import poisson

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
LABELS = ("negative", "neutral", "positive")
KEY = ("brand_id", "grain_s", "bucket_at", "platform", "label")


class _Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


class _Stream:
    """Makes mentions and their roll-up, a few of each brand in each bucket."""

    def __init__(self, sessions: sessionmaker[Session], brands: list[int], topics: int) -> None:
        self._sessions = sessions
        self._brands = brands
        self._topics = topics
        self._rng = random.Random(1)
        self._number = 0

    def add(self, at: datetime, per_bucket: float, *, all_topics: bool = False) -> None:
        mentions, volume = [], []
        for brand_id in self._brands:
            negatives = poisson(self._rng, per_bucket)
            topics = [self._rng.randrange(self._topics) for _ in range(negatives)]
            if all_topics:
                topics = list(range(self._topics))
            for topic in topics:
                self._number += 1
                mentions.append(_mention(brand_id, self._number, f"topic{topic}", at))
            counts = (
                len(topics),
                poisson(self._rng, 3 * per_bucket),
                poisson(self._rng, per_bucket),
            )
            volume += [
                dict(zip(KEY, (brand_id, 300, at, "x", label), strict=True))
                | {"mentions": count, "score_sum": 0.0}
                for label, count in zip(LABELS, counts, strict=True)
                if count
            ]
        with self._sessions.begin() as session:
            if mentions:
                session.execute(insert(Mention), mentions)
            upsert(session, Volume, volume, key=KEY, add_columns=["mentions", "score_sum"])


def _mention(brand_id: int, number: int, topic: str, at: datetime) -> dict[str, object]:
    return {
        "brand_id": brand_id,
        "platform": "x",
        "external_id": str(number),
        "kind": PostKind.POST,
        "text": "made up",
        "links": [],
        "published_at": at + timedelta(seconds=number % 240),
        "fetched_at": at,
        "label": "negative",
        "topic": topic,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--brands", type=int, default=500)
    parser.add_argument("--topics", type=int, default=10, help="of each brand")
    parser.add_argument("--hours", type=float, default=6, help="of history")
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(given.url or f"sqlite:///{Path(folder) / 'bench.db'}")
        upgrade(engine)
        sessions = make_sessions(engine)
        with sessions.begin() as session:
            rows = [
                Brand(key=f"b{n}", name="B", query="b", names=["B"], created_at=START)
                for n in range(given.brands)
            ]
            session.add_all(rows)
            session.flush()
            brands = [row.id for row in rows]
        _run(sessions, _Stream(sessions, brands, given.topics), given)


def _run(sessions: sessionmaker[Session], stream: _Stream, given: argparse.Namespace) -> None:
    clock = _Clock()
    steps = int(given.hours * 12)
    for number in range(steps):
        stream.add(START + number * STEP, 0.5)
    bursts.BUDGET_S = 600.0  # the bench wants to see the whole, not the slice of one call
    clock.now = START + steps * STEP
    stream.add(clock.now, 0.5, all_topics=True)
    clock.now += timedelta(minutes=1)
    began, cpu = time.perf_counter(), time.process_time()
    step_bursts(sessions, clock=clock)
    with sessions() as session:
        made = session.scalar(select(func.count()).select_from(BurstState))
    print(
        f"{made} detectors made from {given.hours:g} h in {time.perf_counter() - began:.1f} s "
        f"({time.process_time() - cpu:.1f} s CPU)"
    )
    spent: list[tuple[float, float, float]] = []
    for _ in range(given.minutes):
        minute = [0.0, 0.0, 0.0]
        for _ in range(12):
            # New mentions of every brand in every minute, and one look each five seconds.
            clock.now += timedelta(seconds=5)
            if clock.now.second < 5:
                at = clock.now - timedelta(minutes=clock.now.minute % 5, seconds=clock.now.second)
                stream.add(at.replace(microsecond=0), 0.5)
            began, cpu = time.perf_counter(), time.process_time()
            step_bursts(sessions, clock=clock)
            took = time.perf_counter() - began
            minute[0] += took
            minute[1] += time.process_time() - cpu
            minute[2] = max(minute[2], took)
        spent.append((minute[0], minute[1], minute[2]))
    print(
        f"a minute (12 looks): mean {sum(one[0] for one in spent) / len(spent):.2f} s wall, "
        f"{sum(one[1] for one in spent) / len(spent):.2f} s CPU of this process; "
        f"longest look {max(one[2] for one in spent):.2f} s; "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
