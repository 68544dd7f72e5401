"""How fast mentions go their whole way: stored, scored (VADER), linked, triaged.

Run: python -m tests.benchmarks.bench_pipeline [--count N] [--runs N] [--profile FILE]
     [--scorer SETTING] [--database URL]...

With another scorer than VADER this is the first lane, and what the model and the second way
through linking and triage take is given beside it.

Each run is a process of its own on a database of its own, so that peak memory and CPU time
are this run's. Without `--database` it is SQLite, and PostgreSQL too where
GROUNDSWELL_TEST_POSTGRES_URL names a server on which databases may be made.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy import create_engine, func, make_url, select, text

from api.runtime import Runtime, make_pipeline, sync_brands_file
from config.db import make_engine, make_sessions, read_session
from config.migrate import upgrade
from config.settings import Settings
from crm_link.contacts.mirror import import_contacts
from crm_link.models import Flag, IdentityLink
from listener.imports import import_mentions
from listener.models import Mention
from tests.benchmarks.made_up import write_contacts, write_mentions

#: Wanted: mentions in a second, CPU milliseconds for each, and memory in MB.
TARGETS = {"per_s": 1_500, "cpu_ms": 1.0, "peak_mb": 300}

CONTACTS = 10_000
AUTHORS = 20_000

_BRANDS = """\
version: 1
brands:
  - id: nordlicht
    name: Nordlicht
    query: 'nordlicht OR @nordlicht'
    names: [Nordlicht, "@nordlicht"]
"""


def main() -> None:
    """Measure every database and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", action="append", help="SQLite or PostgreSQL address")
    parser.add_argument("--profile", type=Path, help="write a cProfile of one SQLite run there")
    parser.add_argument("--scorer", default="vader", help="as in GROUNDSWELL_SCORER")
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        _measure(Path(given.one[0]), given.one[1], given.profile, given.scorer)
        return
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {given.count:,} mentions, {CONTACTS:,} contacts")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_mentions(folder / "mentions.jsonl", given.count, authors=AUTHORS)
        write_contacts(folder / "contacts.csv", CONTACTS)
        (folder / "brands.yaml").write_text(_BRANDS, "utf-8")
        for address in given.database or _default_databases():
            runs = [_run(folder, address, given.profile, given.scorer) for _ in range(given.runs)]
            _print(runs)


def _default_databases() -> list[str]:
    server = os.environ.get("GROUNDSWELL_TEST_POSTGRES_URL")
    return ["sqlite", server] if server else ["sqlite"]


def _run(folder: Path, address: str, profile: Path | None, scorer: str) -> dict[str, Any]:
    with _fresh_database(folder, address) as url:
        command = [sys.executable, "-m", "tests.benchmarks.bench_pipeline"]
        command += ["--one", str(folder), url, "--scorer", scorer]
        if profile is not None:
            command += ["--profile", str(profile)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print("   ", done.stdout.strip().splitlines()[-1])
    return found


@contextmanager
def _fresh_database(folder: Path, address: str) -> Iterator[str]:
    """Give an empty database on the server of `address`, gone afterwards."""
    name = f"groundswell_bench_{uuid.uuid4().hex[:12]}"
    if address.startswith("sqlite"):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            yield f"sqlite:///{place}/{name}.db"
        return
    server = make_url(address).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


def _measure(folder: Path, url: str, profile: Path | None, scorer: str) -> None:
    """Do one run in this process and print what it took as JSON."""
    settings = Settings(home=folder, database_url=url, scorer=scorer, crm="csv_file")
    database = make_engine(url)
    upgrade(database)
    opened = Runtime(settings, database, make_sessions(database))
    sync_brands_file(opened)
    import_contacts(opened.sessions, folder / "contacts.csv")
    pipeline = make_pipeline(opened)
    base_mb = _peak_mb()
    seconds: dict[str, list[float]] = {}
    profiler = cProfile.Profile() if profile else None
    if profiler:
        profiler.enable()
    server_before = server_cpu_s(database)
    last = [time.perf_counter(), time.process_time()]

    def lap(name: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        spent = seconds.setdefault(name, [0.0, 0.0])
        for index in (0, 1):
            spent[index] += now[index] - last[index]
        last[:] = now

    result = import_mentions(opened.sessions, folder / "mentions.jsonl")
    lap("collect")
    pipeline.work_backlog(on_batch=lambda step, _: lap(step.value))
    lap("look")
    if profiler and profile:
        profiler.disable()
        profiler.dump_stats(profile)
    wall = sum(one[0] for one in seconds.values())
    cpu = sum(one[1] for one in seconds.values())
    first = dict(seconds)
    pipeline.judge_backlog()
    lap("judge")
    pipeline.work_backlog(on_batch=lambda step, _: lap(f"{step.value} again"))
    later = {name: spent for name, spent in seconds.items() if name not in first}
    seconds = first
    with read_session(opened.sessions) as session:
        waiting = session.scalar(select(func.count()).where(Mention.pending.is_not(None)))
        stored = session.scalar(select(func.count()).select_from(Mention))
        folded = session.scalar(select(func.count()).where(Mention.folded_into_id.is_not(None)))
        links = session.scalar(select(func.count()).select_from(IdentityLink))
        flags = session.scalar(select(func.count()).select_from(Flag))
    assert result.new == stored, (result, stored)
    assert waiting == 0
    found = {
        "database": database.dialect.name,
        "per_s": result.new / wall,
        "cpu_ms": 1000 * cpu / result.new,
        "peak_mb": _peak_mb(),
        "base_mb": base_mb,
        "server_cpu_ms": 1000 * (server_cpu_s(database) - server_before) / result.new,
        "steps_cpu_ms": {k: 1000 * v[1] / result.new for k, v in seconds.items()},
        "steps_wall_ms": {k: 1000 * v[0] / result.new for k, v in seconds.items()},
        "model_cpu_ms": {k: 1000 * v[1] / result.new for k, v in later.items()},
        "mentions": stored,
        "folded": folded,
        "links": links,
        "flags": flags,
    }
    database.dispose()
    print(json.dumps(found))


def _peak_mb() -> float:
    """Return the most memory that this process had, in MB; a parent's peak is not in it."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return float("nan")


def server_cpu_s(database: DatabaseEngine) -> float:
    """Return the CPU time of PostgreSQL's processes that serve us, where it runs here too.

    What it writes in the background (checkpoints, the write-ahead log) is not in it.
    """
    if database.dialect.name != "postgresql":
        return 0.0
    with database.connect() as connection:
        pids = connection.scalars(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        ).all()
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _print(runs: list[dict[str, Any]]) -> None:
    median = {
        name: statistics.median(one[name] for one in runs)
        for name in ("per_s", "cpu_ms", "peak_mb", "server_cpu_ms")
    }
    steps = {
        name: statistics.median(one["steps_cpu_ms"][name] for one in runs)
        for name in runs[0]["steps_cpu_ms"]
    }
    is_reached = (
        median["per_s"] >= TARGETS["per_s"]
        and median["cpu_ms"] <= TARGETS["cpu_ms"]
        and median["peak_mb"] <= TARGETS["peak_mb"]
    )
    print(
        f"{runs[0]['database']}: {median['per_s']:,.0f} mentions/s, "
        f"{median['cpu_ms']:.3f} ms CPU each (server {median['server_cpu_ms']:.3f}), "
        f"peak {median['peak_mb']:.0f} MB, median of {len(runs)}; "
        + ", ".join(f"{name} {spent:.3f}" for name, spent in steps.items())
        + f"; targets {'reached' if is_reached else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
