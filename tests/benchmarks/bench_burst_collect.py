"""What is left of a burst of posts between two polls, on the fake X and the fake Reddit.

Run: python -m tests.benchmarks.bench_burst_collect [POSTS] [RUNS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions
from config.logs import set_up_logs
from config.migrate import upgrade
from listener.models import Gap
from tests.listener.conformance import Runner
from tests.listener.worlds import RedditComments, RedditSearch, World, XMentions, XSearch
from tests.networks import Networks, running_networks

KINDS: tuple[type[World], ...] = (XSearch, XMentions, RedditSearch, RedditComments)

#: How many of its newest things each listing gives at most.
REACHABLE: dict[str, int | None] = {
    XSearch.name: None,
    XMentions.name: 800,
    RedditSearch.name: 1_000,
    RedditComments.name: 1_000,
}


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst came to.

    Args:
        published: Posts between two polls.
        reachable: Those that the platform still shows.
        stored: Those of the reachable that are stored.
        gaps: Gap rows.
        requests: Requests that the poll took.
        took_s: Seconds that it took.

    """

    published: int
    reachable: int
    stored: int
    gaps: Sequence[Gap]
    requests: int
    took_s: float


def burst(
    networks: Networks, sessions: sessionmaker[Session], kind: type[World], posts: int
) -> Burst:
    """Poll, publish a burst, poll again."""
    networks.control.reset()
    world = kind(networks)
    runner = Runner(sessions, world)
    world.publish(20, ends=utc_now() - timedelta(hours=3))
    runner.collect(page_size=100)
    published = world.publish(posts, step_s=1.0)
    reachable = published[-(REACHABLE[kind.name] or posts) :]
    networks.control.clear_requests()
    start = time.perf_counter()
    runner.collect(page_size=100)
    took_s = time.perf_counter() - start
    with sessions() as session:
        gaps = [gap for gap in runner.gaps() if gap.source_id == runner.source_id]
        session.rollback()
    return Burst(
        published=posts,
        reachable=len(reachable),
        stored=len(runner.ids() & set(reachable)),
        gaps=gaps,
        requests=networks.control.count(world.network, world.path),
        took_s=took_s,
    )


def main() -> None:
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    set_up_logs("WARNING")
    print(f"{posts:,} posts between two polls, median of {runs} runs, {os.cpu_count()} cores")
    with running_networks() as networks:
        for kind in KINDS:
            outcomes: list[Burst] = []
            for _ in range(runs):
                with tempfile.TemporaryDirectory() as folder:
                    engine = make_engine(f"sqlite:///{Path(folder) / 'burst.db'}")
                    upgrade(engine)
                    outcomes.append(burst(networks, make_sessions(engine), kind, posts))
                    engine.dispose()
            took_s = statistics.median(one.took_s for one in outcomes)
            worst = min(outcomes, key=lambda one: one.stored)
            print(
                f"{kind.name:16} stored {worst.stored:5,} of {worst.reachable:5,} reachable, "
                f"{len(worst.gaps)} gap rows, {worst.requests} requests, {took_s:.2f} s"
            )


if __name__ == "__main__":
    main()
