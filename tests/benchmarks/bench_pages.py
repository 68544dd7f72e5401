"""How fast the console's pages come while mentions are imported, on SQLite.

Run: python -m tests.benchmarks.bench_pages [--count N] [--requests N] [--quiet]

The console is a process of its own behind uvicorn, as `groundswell serve` starts it; a third
process imports, scores, links and triages more mentions into the same file the whole time.
The times are what a client on this machine waits, over one connection, without the network.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import func, select

from api.app import create_app
from api.runtime import Runtime, make_pipeline, sync_brands_file
from config.clock import utc_now
from config.db import make_engine, make_sessions, read_session
from config.migrate import upgrade
from config.settings import Settings
from crm_link.contacts.mirror import import_contacts
from crm_link.models import Flag
from listener.imports import ImportResult, import_mentions
from listener.models import Brand, Mention
from tests.api.build import make_incident, make_users
from tests.benchmarks.made_up import write_contacts, write_mentions

#: Wanted: the 95th percentile of the review queue and of an incident, in milliseconds.
TARGET_MS = 100

#: Requests before those that count.
WARM_UP = 10

#: A POSIX clock's ticks in a second, by which /proc counts CPU time.
TICKS = os.sysconf("SC_CLK_TCK")

_BRANDS = """\
version: 1
brands:
  - id: nordlicht
    name: Nordlicht
    query: 'nordlicht OR @nordlicht'
    names: [Nordlicht, "@nordlicht"]
    protocol: protocol.yaml
"""


def main() -> None:
    """Fill a database, measure each page, print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--quiet", action="store_true", help="measure without the import too")
    parser.add_argument("--part", choices=["serve", "write"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "serve":
        _serve(given.folder, given.port)
    elif given.part == "write":
        _write(given.folder)
    else:
        with tempfile.TemporaryDirectory() as name:
            _measure(Path(name), given.count, given.requests, with_quiet=given.quiet)


def _measure(folder: Path, count: int, requests: int, *, with_quiet: bool) -> None:
    _fill(folder, count)
    pages = _pages(folder)
    with _process(folder, "serve", port := _free_port()) as pid:
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as client:
            _wait_for(client)
            client.post("/sign-in/demo")
            if with_quiet:
                _print(client, pages, requests, pid, "nothing is imported")
            with _process(folder, "write", 0):
                time.sleep(5)
                _print(client, pages, requests, pid, "while mentions are imported")


def _print(client: httpx.Client, pages: dict[str, str], requests: int, pid: int, when: str) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {when}")
    for name, path in pages.items():
        for _ in range(WARM_UP):
            client.get(path).raise_for_status()
        times, cpu = [], _cpu_s(pid)
        for _ in range(requests):
            begin = time.perf_counter()
            client.get(path).raise_for_status()
            times.append(1000 * (time.perf_counter() - begin))
        cpu_ms = 1000 * (_cpu_s(pid) - cpu) / requests
        p95 = statistics.quantiles(times, n=20)[18]
        verdict = "" if name not in {"queue", "incident"} else f"  wanted {TARGET_MS}"
        print(
            f"  {name:16} p50 {statistics.median(times):6.1f}  p95 {p95:6.1f} ms"
            f"  server CPU {cpu_ms:5.1f} ms{verdict}"
        )


def _fill(folder: Path, count: int) -> None:
    """Bring mentions through the real pipeline, and open an incident among them."""
    begin = time.perf_counter()
    write_mentions(folder / "mentions.jsonl", count, authors=count // 5)
    write_mentions(folder / "more.jsonl", count, authors=count // 5, seed=2)
    more = (folder / "more.jsonl").read_text("utf-8").replace('"id": "17', '"id": "27')
    (folder / "more.jsonl").write_text(more, "utf-8")
    write_contacts(folder / "contacts.csv", 10_000)
    (folder / "brands.yaml").write_text(_BRANDS, "utf-8")
    protocol = Path(__file__).parents[2] / "config" / "defaults" / "protocol.yaml"
    (folder / "protocol.yaml").write_text(protocol.read_text("utf-8"), "utf-8")
    opened = _open(folder)
    sync_brands_file(opened)
    import_contacts(opened.sessions, folder / "contacts.csv")
    pipeline = make_pipeline(opened)
    import_mentions(opened.sessions, folder / "mentions.jsonl", keep_raw=False)
    pipeline.work_backlog()
    now = utc_now()
    with opened.sessions.begin() as session:
        make_users(session, now)
        brand = session.scalars(select(Brand)).one()
        topics = dict.fromkeys(session.scalars(select(Mention.topic).distinct()).all(), 1)
        incident = make_incident(session, brand, now)
        incident.facts = {**incident.facts, "topics": topics}
    with read_session(opened.sessions) as session:
        stored = session.scalar(select(func.count()).select_from(Mention))
        flags = session.scalar(select(func.count()).select_from(Flag))
    opened.engine.dispose()
    print(f"{stored:,} mentions, {flags:,} flags, filled in {time.perf_counter() - begin:.0f} s")


def _pages(folder: Path) -> dict[str, str]:
    opened = _open(folder)
    with read_session(opened.sessions) as session:
        first = session.scalars(select(Flag.mention_id).order_by(Flag.id).limit(1)).one()
    opened.engine.dispose()
    return {
        "queue": "/queue",
        "incident": "/incidents/1",
        "queue, filtered": "/queue?brand=nordlicht&label=negative&lang=en",
        "queue, words": "/queue?text=nordlicht",
        "mention": f"/mentions/{first}",
        "mentions": "/mentions",
        "mentions, words": "/mentions?text=refund",
        "board 30d": "/board?period=30d",
        "API queue": "/api/v1/queue",
    }


def _serve(folder: Path, port: int) -> None:
    opened = _open(folder)
    app = create_app(opened.settings, opened.sessions, is_demo=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", ws="none")


def _write(folder: Path) -> None:
    opened = _open(folder)
    pipeline = make_pipeline(opened)

    def work(_so_far: ImportResult) -> None:
        pipeline.work_backlog()

    import_mentions(opened.sessions, folder / "more.jsonl", keep_raw=False, on_progress=work)


def _open(folder: Path) -> Runtime:
    url = f"sqlite:///{folder / 'bench.db'}"
    settings = Settings(
        home=folder, database_url=url, scorer="vader", secret_key=SecretStr("k" * 40)
    )
    engine = make_engine(url)
    upgrade(engine)
    return Runtime(settings, engine, make_sessions(engine))


@contextmanager
def _process(folder: Path, part: str, port: int) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_pages", "--part", part]
    command += ["--folder", str(folder), "--port", str(port)]
    child = subprocess.Popen(command, env=os.environ | {"GROUNDSWELL_HOME": str(folder)})
    try:
        yield child.pid
        if child.poll() is not None:
            print(f"  note: {part} ended by itself before the measurement did ({child.returncode})")
    finally:
        child.terminate()
        child.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.get("/healthz").raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
