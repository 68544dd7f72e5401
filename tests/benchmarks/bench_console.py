"""How fast every page of the console comes with a million mentions, on SQLite and PostgreSQL.

Run: python -m tests.benchmarks.bench_console [--count N] [--requests N] [--url DATABASE]
     [--only WORDS]

Without --url a SQLite file is made and removed afterwards. A database named with --url is filled
if it is empty and used as it is if it is not, so that it can be measured again. Times are the
server's own: the application is called in this process, without network; compression is part of
it. `first` is the first request for a page, when nothing of it is in memory of this process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

from api.app import create_app
from api.warming import keep_what_is_there, warm_up
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from config.settings import Settings
from tests.benchmarks.bench_pipeline import server_cpu_s
from tests.benchmarks.console_pages import PROMISED, pages_of
from tests.benchmarks.million import fill, is_filled, sizes

#: Wanted of queue, war room and board: the 95th percentile in milliseconds; and of any request.
TARGETS_MS = {"postgresql": 80, "sqlite": 150}
MOST_MS = 500

#: Requests before those that count, the first one among them, and the fewest that count.
WARM_UP, FEWEST = 3, 3

#: Seconds that one page may take of the measurement.
MOST_S = 15


def main() -> None:
    """Fill a database, measure each page, print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--url", default="", help="without it a SQLite file")
    parser.add_argument("--only", default="", help="pages whose name has these words")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        engine = make_engine(url)
        upgrade(engine)
        sessions = make_sessions(engine)
        if not is_filled(sessions):
            fill(sessions, engine.dialect.name, given.count)
        print(f"{engine.dialect.name}: {sizes(sessions)}")
        settings = Settings(home=Path(folder), secret_key=SecretStr("k" * 40), database_url=url)
        app = create_app(settings, sessions, is_demo=True)
        begin = time.perf_counter()
        warm_up(app)  # as `groundswell serve` does before it listens
        keep_what_is_there()
        print(f"warmed up in {time.perf_counter() - begin:.1f} s")
        with TestClient(app, headers={"Origin": "http://testserver"}) as client:
            client.post("/sign-in/demo")
            pages = pages_of(sessions, settings, client)
            wanted = {name: path for name, path in pages.items() if given.only in name}
            _measure(client, engine, wanted, given.requests)
        engine.dispose()


def _measure(client: TestClient, engine: Engine, pages: dict[str, str], requests: int) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; milliseconds")
    print(f"  {'page':28} {'first':>7} {'p50':>7} {'p95':>7} {'max':>7} {'CPU':>7}  wanted")
    for name, path in pages.items():
        first = _ask(client, path)
        warm: list[float] = []
        while len(warm) < WARM_UP - 1 + requests:
            if len(warm) == WARM_UP - 1:
                busy = time.process_time() + server_cpu_s(engine)
            warm.append(_ask(client, path))
            if sum(warm) > 1000 * MOST_S and len(warm) >= WARM_UP - 1 + FEWEST:
                break
        warm = warm[WARM_UP - 1 :]
        cpu = 1000 * (time.process_time() + server_cpu_s(engine) - busy) / len(warm)
        p95 = statistics.quantiles(warm, n=20, method="inclusive")[18]
        limit = TARGETS_MS[engine.dialect.name] if name.startswith(PROMISED) else MOST_MS
        missed = " MISSED" if p95 > limit or max(first, *warm) > MOST_MS else ""
        print(
            f"  {name:28} {first:7.0f} {statistics.median(warm):7.1f} {p95:7.1f} {max(warm):7.1f}"
            f" {cpu:7.1f}  {limit}{missed}",
            flush=True,
        )


def _ask(client: TestClient, path: str) -> float:
    """Return the milliseconds that an answer took."""
    begin = time.perf_counter()
    client.get(path).raise_for_status()
    return 1000 * (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
