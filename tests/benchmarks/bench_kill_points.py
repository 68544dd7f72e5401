"""What is lost when the escalation engine is killed (kill -9) at each point of its work.

Run: python -m tests.benchmarks.bench_kill_points [--kills 200] [--database URL] [--seed 1]

Each round opens an incident of a brand of its own and kills a process that works on it at a
random point: before or after a commit, before or after a sending. In the end one process
finishes. Nothing may be lost, every step must be taken exactly once, and overdue steps within
five seconds; messages that came twice are counted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions, read_session
from config.migrate import upgrade
from crm_link.escalation.models import Incident, IncidentEvent
from tests.benchmarks.kill_points import work
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import make_brand, make_burst

#: Kinds of points, and the last one of each that a round may come to.
POINTS = {"before commit": 10, "after commit": 10, "before send": 3, "after send": 3}

PROTOCOL = """
version: 1
contacts:
  - {{id: anna, role: manager, channels: [{{kind: webhook, to: "{url}"}}]}}
  - {{id: ben, role: lead, channels: [{{kind: webhook, to: "{url}"}}]}}
severity:
  - {{level: SEV-2, any: [{{negatives_gte: 3, window: 12h}}], ack: 8h}}
escalation:
  default: {{steps: [{{notify: [manager]}}, {{notify: [lead], after: 2s}}]}}
"""


def main() -> None:
    """Kill, run to the end, check, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="empty PostgreSQL database; else SQLite")
    given = parser.parse_args()
    os.environ["GROUNDSWELL_WEBHOOK_SECRET"] = "made-up-secret-of-the-bench"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {given.kills} kills, seed {given.seed}")
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/bench.db"
        run(url, receiver, Path(folder) / "killed.txt", kills=given.kills, seed=given.seed)
    receiver.stop()


def run(url: str, receiver: Receiver, log: Path, *, kills: int, seed: int) -> None:
    """Do the rounds and check what is left."""
    engine = make_engine(url)
    upgrade(engine)
    sessions = make_sessions(engine)
    chance = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.benchmarks.kill_points"])
    protocol = PROTOCOL.format(url=receiver.url)
    rounds = 0
    while not log.exists() or len(log.read_text().split("\n")) - 1 < kills:
        rounds += 1
        brand_id = make_brand(sessions, key=f"brand{rounds}")
        make_burst(sessions, brand_id, 3, published_at=utc_now() - timedelta(minutes=1))
        kind = chance.choice(list(POINTS))
        at = chance.randint(1, POINTS[kind])
        process = context.Process(target=work, args=(url, protocol, kind, at, log, 2.5))
        process.start()
        process.join()
    killed = Counter(log.read_text().split("\n")[:-1])
    overdue_s = _finish(context, url, protocol, sessions, log)
    _check(sessions, receiver, rounds)
    keys = Counter(headers["X-Idempotency-Key"] for headers, _ in whole_requests(receiver))
    name = engine.dialect.name
    engine.dispose()
    print(f"{name}: killed {dict(sorted(killed.items()))} in {rounds} rounds")
    print(
        f"{name}: {2 * rounds} alerts of {rounds} incidents: 0 lost, "
        f"{sum(keys.values()) - len(keys)} came twice; every step exactly once; "
        f"all overdue steps taken {overdue_s:.1f} s after the last start"
    )


def _finish(
    context: multiprocessing.context.ForkServerContext,
    url: str,
    protocol: str,
    sessions: sessionmaker[Session],
    log: Path,
) -> float:
    """Let one process finish; return after how many seconds nothing was overdue any more."""
    time.sleep(2.5)  # the last round's second step is overdue too
    process = context.Process(target=work, args=(url, protocol, "", 0, log, 300.0))
    began = time.monotonic()
    process.start()
    while time.monotonic() - began < 300:
        with read_session(sessions) as session:
            waiting = session.scalar(
                select(Incident.id).where(Incident.next_due_at <= utc_now()).limit(1)
            )
        if waiting is None:
            break
        time.sleep(0.02)
    took = time.monotonic() - began
    process.join()
    return took


def whole_requests(receiver: Receiver) -> list[tuple[dict[str, str], bytes]]:
    """Return what arrived whole: a process may be killed in the middle of a request."""
    return [one for one in receiver.requests if len(one[1]) == int(one[0]["Content-Length"])]


def _check(sessions: sessionmaker[Session], receiver: Receiver, rounds: int) -> None:
    with read_session(sessions) as session:
        incidents = session.scalars(select(Incident.id)).all()
        steps = Counter(
            (event.incident_id, event.detail["step"])
            for event in session.scalars(
                select(IncidentEvent).where(IncidentEvent.kind == "notified")
            )
        )
    told = {
        (data["incident_id"], data["contact_id"])
        for data in (orjson.loads(body)["data"] for _, body in whole_requests(receiver))
    }
    assert len(incidents) == rounds, f"{len(incidents)} incidents of {rounds} bursts"
    assert steps == Counter({(one, step): 1 for one in incidents for step in (0, 1)})
    lost = {(one, who) for one in incidents for who in ("anna", "ben")} - told
    assert lost == set(), f"alerts that never arrived: {sorted(lost)}"


if __name__ == "__main__":
    main()
