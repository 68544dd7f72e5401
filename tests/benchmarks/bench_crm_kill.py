"""What is lost when the write-back to CRMs is killed (kill -9) at each point of its work.

Run: python -m tests.benchmarks.bench_crm_kill [--kills 200] [--undo-kills 40] [--crm NAME]...
    [--database URL]...

Each round some people say something, and a process that links them and writes to the fake CRM
is killed at a random point: before or after a commit, before or after a call; in every third
round a second one works beside it. Then the undo is killed too. No write may be lost or
repeated over a later one, the journal must tell each change, what a person wrote must stay, and
the undo must restore every field.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from tests.benchmarks.bench_pipeline import _default_databases, _fresh_database
from tests.benchmarks.crm_killing import run
from tests.benchmarks.crm_sources import FAKES


def main() -> None:
    """Kill, run to the end, check, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--undo-kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crm", action="append", choices=sorted(FAKES))
    parser.add_argument("--database", action="append", help="a server; default: both")
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{os.cpu_count()} cores, load {load}; {given.kills} kills, seed {given.seed}", flush=True
    )
    for name in given.crm or sorted(FAKES):
        for address in given.database or _default_databases():
            with (
                tempfile.TemporaryDirectory() as folder,
                _fresh_database(Path(folder), address) as url,
            ):
                run(
                    url,
                    name,
                    Path(folder),
                    kills=given.kills,
                    undo_kills=given.undo_kills,
                    seed=given.seed,
                )


if __name__ == "__main__":
    main()
