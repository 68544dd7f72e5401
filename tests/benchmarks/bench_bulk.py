"""What an action on many mentions of the queue costs, and its undo, on both databases.

Run: python -m tests.benchmarks.bench_bulk [--chosen N] [--flags N]

Each of the chosen mentions has an author of its own, every second of whom is a contact in the
CRM, so that their records are brought up to date too. The times are of the whole transaction,
the median of five. PostgreSQL is measured where GROUNDSWELL_TEST_POSTGRES_URL says one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.flags.acts import Act, Change
from crm_link.flags.changes import change_flags
from crm_link.flags.undo import undo_changes
from crm_link.types import LinkState, Priority
from sentiment.types import Label
from tests.api.build import judged, make_contact, make_flag, make_link
from tests.make import make_author, make_brand, make_mention

#: Wanted: an action on 200 mentions, in milliseconds.
TARGET_MS = 500

ROUNDS = 5

CHANGES = {
    "assign": Change(Act.ASSIGN, assignee="ben@example.org"),
    "done": Change(Act.DONE),
    "label": Change(Act.LABEL, label=Label.NEUTRAL),
    "priority": Change(Act.PRIORITY, priority=Priority.CANCEL),
}


def main() -> None:
    """Fill each database, do and undo each action, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chosen", type=int, default=200)
    parser.add_argument("--flags", type=int, default=2_000)
    given = parser.parse_args()
    print(f"{given.chosen} mentions at once; wanted: under {TARGET_MS} ms each")
    for name, sessions in _databases():
        ids = _fill(sessions, given.flags, given.chosen)
        for act, change in CHANGES.items():
            done, undone = zip(*(_once(sessions, ids, change) for _ in range(ROUNDS)), strict=True)
            print(
                f"{name:10} {act:9} {statistics.median(done):6.0f} ms,"
                f" undone in {statistics.median(undone):6.0f} ms"
            )


def _once(sessions: sessionmaker[Session], ids: list[int], change: Change) -> tuple[float, float]:
    began = time.perf_counter()
    with sessions.begin() as session:
        batch = change_flags(session, ids, change, by="ana@example.org", clock=utc_now).batch
    middle = time.perf_counter()
    with sessions.begin() as session:
        undone = undo_changes(session, batch, by="ana@example.org", clock=utc_now)
    assert len(undone.events) == len(ids)
    return (middle - began) * 1000, (time.perf_counter() - middle) * 1000


def _fill(sessions: sessionmaker[Session], flags: int, chosen: int) -> list[int]:
    now = utc_now()
    ids = []
    with sessions.begin() as session:
        brand = make_brand(session)
        for number in range(flags):
            author = make_author(session)
            mention = make_mention(
                session,
                brand,
                author_id=author.id,
                published_at=now - timedelta(minutes=number),
                **judged("negative", Priority.SERVICE),
            )
            make_flag(session, mention, Priority.SERVICE, due_at=now + timedelta(minutes=number))
            if number < chosen:
                ids.append(mention.id)
                if number % 2:
                    contact = make_contact(session, now, external_id=f"C{number}", handles=[])
                    make_link(session, author.id, contact, state=LinkState.CONFIRMED)
    return ids


def _databases() -> Iterator[tuple[str, sessionmaker[Session]]]:
    with tempfile.TemporaryDirectory() as folder, _migrated(f"sqlite:///{Path(folder)}/b.db") as it:
        yield "SQLite", it
    server = os.environ.get("GROUNDSWELL_TEST_POSTGRES_URL")
    if not server:
        return
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"groundswell_bench_bulk_{uuid.uuid4().hex[:8]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        with _migrated(url.set(database=name).render_as_string(hide_password=False)) as sessions:
            yield "PostgreSQL", sessions
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def _migrated(url: str) -> Iterator[sessionmaker[Session]]:
    engine = make_engine(url)
    upgrade(engine)
    yield make_sessions(engine)
    engine.dispose()


if __name__ == "__main__":
    main()
