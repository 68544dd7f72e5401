"""What is lost when `groundswell run` is killed (kill -9) again and again.

Run: python -m tests.benchmarks.bench_kill [--kills N] [--database URL] [--seed N]

Posts on the fake X and in a feed, an import beside it, and an incident with a signed webhook
for each kill. Afterwards it runs to the end: nothing may be lost, doubled or miscounted, and
every incident's first alert must have arrived; alerts that came twice are counted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from config.db import read_session
from crm_link.escalation.models import Notification
from crm_link.models import DeliveryStatus
from listener.models import Mention
from tests.e2e.homes import Home, wait_until
from tests.e2e.kills import Killing
from tests.networks import spawned_networks


def main() -> None:
    """Kill, run to the end, check, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="empty PostgreSQL database; else SQLite")
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; {given.kills} kills")
    with spawned_networks() as networks, tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", given.database)
        killing = Killing(home, networks, rounds=given.kills, seed=given.seed)
        killing.run()
        with home.sessions() as sessions, read_session(sessions) as session:
            waiting = session.scalar(select(func.count()).where(Mention.pending.is_not(None)))
            claimed = session.scalar(
                select(func.count()).where(Notification.status == DeliveryStatus.SENDING)
            )
        print(f"after the last kill: {waiting} mentions in between, {claimed} alerts claimed")
        killing.import_again()
        began = time.monotonic()
        with home.running("run", "--port", "0"):
            wait_until(lambda: _is_done(home, given.kills), timeout_s=600, what="the end")
            # A lease of a killed process that nobody has seen would be over by then.
            time.sleep(5)
        found = killing.assert_whole()
    moments = sorted(killing.moments_s)
    print(
        f"{'PostgreSQL' if given.database else 'SQLite'}: {given.kills} kills "
        f"{moments[0]:.1f} to {moments[-1]:.1f} s after the start; "
        f"{found['mentions']:,} mentions: 0 lost, 0 doubled, roll-ups exact; "
        f"{found['incidents']} incidents: 0 first alerts lost, "
        f"{found['doubled_alerts']} doubled; at the end after {time.monotonic() - began:.0f} s"
    )


def _is_done(home: Home, incidents: int) -> bool:
    with home.sessions() as sessions, read_session(sessions) as session:
        waiting = session.scalar(select(func.count()).where(Mention.pending.is_not(None)))
        sent = session.scalar(
            select(func.count()).where(
                Notification.status == DeliveryStatus.SENT, Notification.reason == "step"
            )
        )
        unsent = session.scalar(
            select(func.count()).where(
                Notification.status.in_([DeliveryStatus.PENDING, DeliveryStatus.SENDING])
            )
        )
    return not waiting and (sent or 0) >= incidents and not unsent


if __name__ == "__main__":
    main()
