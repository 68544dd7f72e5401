"""How long the first sync of many contacts takes, against fakes of CRMs that answer at once.

Run: python -m tests.benchmarks.bench_crm_sync [--contacts N] [--crm NAME]... [--database URL]...
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.contacts import sync_contacts
from crm_link.context import LinkContext
from crm_link.crm import make_crm
from tests.benchmarks.bench_pipeline import _default_databases, _fresh_database
from tests.crm_link.crms.hubspot import FakeHubspot
from tests.crm_link.crms.salesforce import FakeSalesforce
from tests.crm_link.crms.server import FakeCrm, served
from tests.crm_link.crms.zoho import FakeZoho

#: Wanted for 100,000 contacts, in seconds.
TARGET_S = 300

FAKES: dict[str, type[FakeCrm]] = {
    "hubspot": FakeHubspot,
    "salesforce": FakeSalesforce,
    "zoho": FakeZoho,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--crm", action="append", choices=sorted(FAKES))
    parser.add_argument("--database", action="append")
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {given.contacts:,} contacts")
    for name in given.crm or sorted(FAKES):
        for address in given.database or _default_databases():
            _measure(name, address, given.contacts)


def _measure(name: str, address: str, count: int) -> None:
    fake = FAKES[name]()
    for number in range(count):
        fake.add(
            f"{number:015d}",
            first=f"Ann{number % 997}",
            last=f"Lee{number}",
            email=f"ann{number}@example.com",
            phone=f"+34600{number:06d}",
            x=f"ann{number}",
        )
    with (
        served(fake),
        tempfile.TemporaryDirectory() as folder,
        _fresh_database(Path(folder), address) as url,
    ):
        os.environ.update(fake.environment())
        engine = make_engine(url)
        upgrade(engine)
        crm = make_crm(name)
        context = LinkContext(secret_key="a key of the benchmark", country="US")
        began, cpu = time.perf_counter(), time.process_time()
        found = sync_contacts(make_sessions(engine), crm, name=name, context=context)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        crm.close()
        engine.dispose()
        assert found.new == count, found
        reached = "reached" if took * 100_000 / count <= TARGET_S else "MISSED"
        print(
            f"{name}, {engine.dialect.name}: {took:.1f} s, {1000 * took / count:.2f} ms each, "
            f"{cpu:.1f} s of CPU, {len(fake.calls):,} calls (the fake's own time included); "
            f"target {reached}"
        )


if __name__ == "__main__":
    main()
