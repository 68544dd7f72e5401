"""How fast every page of the console comes with a million mentions, on SQLite and PostgreSQL.

Run: python -m tests.benchmarks.bench_console [--count N] [--requests N] [--url DATABASE]
     [--only WORDS]

Without --url a SQLite file is made and removed afterwards. A database named with --url is filled
if it is empty and used as it is if it is not, so that it can be measured again. Times are the
server's own: the application is called in this process, without network; compression is part of
it. `first` is the first request for a page, when nothing of it is in memory of this process. A
page is timed to its first byte: only files of any length go on after that. Last, what people do to
one thing is done, which changes the database.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.warming import keep_what_is_there, warm_up
from config.db import make_engine, make_sessions, read_session
from config.migrate import upgrade
from config.settings import Settings
from tests.api.build import PASSWORD
from tests.api.walking import write_files
from tests.benchmarks.bench_pipeline import server_cpu_s
from tests.benchmarks.console_acts import Act, acts_of
from tests.benchmarks.console_pages import PROMISED, Timed, pages_of
from tests.benchmarks.million import TEAM_EMAIL, fill, is_filled, sizes

#: Wanted of queue, war room and board: the 95th percentile in milliseconds; and of any request.
TARGETS_MS = {"postgresql": 80, "sqlite": 150}
MOST_MS = 500

#: Requests before those that count, the first one among them, and the fewest that count.
WARM_UP, FEWEST = 3, 3

#: Seconds that one page may take of the measurement.
MOST_S = 15

#: Addresses of many that are named because they take too long.
MOST_TOLD = 12

_FROM_HERE = {"Origin": "http://testserver"}


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
        write_files(Path(folder))
        settings = Settings(home=Path(folder), secret_key=SecretStr("k" * 40), database_url=url)
        app = create_app(settings, sessions, is_demo=True)
        begin = time.perf_counter()
        warm_up(app)  # as `groundswell serve` does before it listens
        keep_what_is_there()
        print(f"warmed up in {time.perf_counter() - begin:.1f} s")
        clock = FirstByte(app)
        with (
            TestClient(clock, headers=_FROM_HERE) as client,
            TestClient(clock, headers=_FROM_HERE) as of_team,
        ):
            client.post("/sign-in/demo")
            of_team.post("/sign-in", data={"email": TEAM_EMAIL, "password": PASSWORD})
            pages = pages_of(sessions, settings, client)
            wanted = [page for page in pages if given.only in page.name]
            _measure(Asker(client, of_team, clock), engine, wanted, given.requests)
            with read_session(sessions) as session:
                acts = [act for act in acts_of(session) if given.only in act.name]
            _act(client, engine, acts)
        engine.dispose()


class FirstByte:
    """The application, with a clock that says when the first byte of its last answer left."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app
        self.at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and look at the clock at the first part of the body."""
        self.at = 0.0

        async def timed(message: Message) -> None:
            if not self.at and message["type"] == "http.response.body":
                self.at = time.perf_counter()
            await send(message)

        await self._app(scope, receive, timed)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an admin, and somebody who sees some brands only."""

    client: TestClient
    of_team: TestClient
    clock: FirstByte

    def ask(self, page: Timed, path: str) -> float:
        """Return the milliseconds until an answer's first byte; a page is whole by then."""
        client = self.of_team if page.of_team else self.client
        begin = time.perf_counter()
        answer = client.get(path, follow_redirects=False)
        # A file that is being made is an answer too: where it will be.
        if not answer.has_redirect_location:
            answer.raise_for_status()
        return 1000 * (self.clock.at - begin)


def _measure(asker: Asker, engine: Engine, pages: Sequence[Timed], requests: int) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; milliseconds")
    print(f"  {'page':32} {'first':>7} {'p50':>7} {'p95':>7} {'max':>7} {'CPU':>7}  wanted")
    for page in pages:
        limit = TARGETS_MS[engine.dialect.name] if page.name.startswith(PROMISED) else MOST_MS
        first = [asker.ask(page, path) for path in page.paths]
        for _ in range(WARM_UP - 1):
            if len(page.paths) == 1:
                asker.ask(page, page.paths[0])
        warm: dict[str, list[float]] = {path: [] for path in page.paths}
        busy, begin = time.process_time() + server_cpu_s(engine), time.perf_counter()
        fewest = FEWEST if len(page.paths) == 1 else 1
        for number in range(max(fewest, requests // len(page.paths))):
            if number >= fewest and time.perf_counter() - begin > MOST_S:
                break
            for path in page.paths:
                warm[path].append(asker.ask(page, path))
        times = [one for path in page.paths for one in warm[path]]
        cpu = 1000 * (time.process_time() + server_cpu_s(engine) - busy) / len(times)
        p95 = statistics.quantiles(times, n=20, method="inclusive")[18]
        missed = " MISSED" if p95 > limit or max(*first, *times) > MOST_MS else ""
        name = page.name if len(page.paths) == 1 else f"{page.name} ({len(page.paths)})"
        print(
            f"  {name:32} {max(first):7.0f} {statistics.median(times):7.1f} {p95:7.1f}"
            f" {max(times):7.1f} {cpu:7.1f}  {limit}{missed}",
            flush=True,
        )
        if len(page.paths) > 1:
            _tell_slowest(warm, limit)


def _act(client: TestClient, engine: Engine, acts: Sequence[Act]) -> None:
    """Do what people do to one thing, and print how long it takes."""
    print(f"  {'act on one thing':32} {'first':>7} {'p50':>7} {'max':>15} {'CPU':>7}  wanted")
    for act in acts:
        times = []
        busy = time.process_time() + server_cpu_s(engine)
        for path, form in act.sent:
            begin = time.perf_counter()
            answer = client.post(path, data=form, follow_redirects=False)
            times.append(1000 * (time.perf_counter() - begin))
            if answer.is_error:
                print(f"    {answer.status_code} of {path}")
        cpu = 1000 * (time.process_time() + server_cpu_s(engine) - busy) / len(times)
        print(
            f"  {act.name:32} {times[0]:7.0f} {statistics.median(times):7.1f} {max(times):15.1f}"
            f" {cpu:7.1f}  {MOST_MS}{' MISSED' if max(times) > MOST_MS else ''}",
            flush=True,
        )


def _tell_slowest(times: Mapping[str, Sequence[float]], limit_ms: float) -> None:
    """Say which addresses of many are over the bound, each by its quickest answer."""
    quickest = sorted(((min(found), path) for path, found in times.items()), reverse=True)
    for ms, path in quickest[:MOST_TOLD]:
        if ms > limit_ms:
            print(f"    {ms:7.0f}  {path}")


if __name__ == "__main__":
    main()
