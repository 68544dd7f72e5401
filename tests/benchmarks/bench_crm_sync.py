"""How long the first sync of many contacts takes, against CRMs that answer at once.

Run: python -m tests.benchmarks.bench_crm_sync [--contacts N] [--crm NAME]... [--database URL]...

The fakes of HubSpot, Salesforce and Zoho run in a process of their own; Tryton is a real server,
and takes its time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.contacts.mirror import sync_contacts
from crm_link.context import LinkContext
from crm_link.crm import make_crm
from tests.benchmarks.bench_pipeline import _default_databases, _fresh_database
from tests.benchmarks.crm_sources import SOURCES, contacts_in

#: Wanted for 100,000 contacts, in seconds.
TARGET_S = 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--crm", action="append", choices=SOURCES)
    parser.add_argument("--database", action="append")
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {given.contacts:,} contacts", flush=True)
    for name in given.crm or SOURCES:
        if name == "tryton" and "GROUNDSWELL_TEST_TRYTON" not in os.environ:
            print("tryton: left out, GROUNDSWELL_TEST_TRYTON is not set")
            continue
        for address in given.database or _default_databases():
            _measure(name, address, given.contacts)


def _measure(name: str, address: str, count: int) -> None:
    with _Beside(name, count) as beside:
        dialect, took, cpu = _sync(name, address, count, beside.environment)
    reached = "reached" if took * 100_000 / count <= TARGET_S else "MISSED"
    load = os.getloadavg()[0]
    print(
        f"{name}, {dialect}: {took:.1f} s, {1000 * took / count:.2f} ms each; "
        f"{cpu:.1f} s of CPU of ours, {beside.cpu_s:.1f} s of the CRM's; load {load:.1f}; "
        f"target {reached}",
        flush=True,
    )


def _sync(
    name: str, address: str, count: int, environment: Mapping[str, str]
) -> tuple[str, float, float]:
    """Sync into an empty database; return what it is, and seconds by the clock and of CPU."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _fresh_database(Path(folder), address) as url,
    ):
        os.environ.update(environment)
        engine = make_engine(url)
        upgrade(engine)
        crm = make_crm(name)
        context = LinkContext(secret_key="a key of the benchmark", country="US")
        began, cpu = time.perf_counter(), time.process_time()
        found = sync_contacts(make_sessions(engine), crm, name=name, context=context)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        crm.close()
        engine.dispose()
        assert found.new >= count, found
        return engine.dialect.name, took, cpu


class _Beside:
    """A CRM with so many contacts in a process of its own.

    `environment` are its settings; `cpu_s` is what it took from then on, known at the end.
    """

    def __init__(self, name: str, count: int) -> None:
        self._door, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(name, count, theirs)
        )
        self.environment: Mapping[str, str] = {}
        self.cpu_s = 0.0

    def __enter__(self) -> Self:
        self._process.start()
        self.environment = self._door.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.send("done")
        if self._door.poll(60):
            self.cpu_s = self._door.recv()
        self._process.join()


def _serve(name: str, count: int, door: Connection) -> None:
    with contacts_in(name, count) as environment:
        before = time.process_time()
        door.send(dict(environment))
        door.recv()
        own = time.process_time() - before
    # A server that was started is a process of its own, and has ended now.
    door.send(own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)


if __name__ == "__main__":
    main()
