"""One collection of a source at a time.

Two at once would pay for the same posts twice and leave the older of two cursors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError

#: Any number: the first key of the PostgreSQL advisory locks of sources.
_SOURCE_LOCK = 715_190_119

_guard = threading.Lock()
_running: set[tuple[str, int]] = set()


@contextmanager
def only_collection_of(sessions: sessionmaker[Session], source_id: int) -> Iterator[None]:
    """Hold the source for this collection.

    Within a process by a set; between processes by a lock that is given up when its holder
    dies: on PostgreSQL an advisory lock, which holds across the machines of a fleet, on SQLite
    a locked file beside the database.

    Raises:
        ConflictError: Somebody else is collecting it.

    """
    msg = f"source {source_id} is being collected already"
    engine = sessions.kw["bind"]
    # Two databases of one process (tests, a drill) have sources with the same id.
    key = (engine.url.render_as_string(), source_id)
    with _guard:
        if key in _running:
            raise ConflictError(msg)
        _running.add(key)
    try:
        hold = _advisory_lock if engine.dialect.name == "postgresql" else _file_lock
        with hold(engine, source_id, msg):
            yield
    finally:
        with _guard:
            _running.discard(key)


@contextmanager
def _advisory_lock(engine: Engine, source_id: int, msg: str) -> Iterator[None]:
    # Not in a transaction, which would stay open for as long as the network takes.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lock = (_SOURCE_LOCK, source_id)
        if not connection.scalar(select(func.pg_try_advisory_lock(*lock))):
            raise ConflictError(msg)
        try:
            yield
        finally:
            connection.scalar(select(func.pg_advisory_unlock(*lock)))


@contextmanager
def _file_lock(engine: Engine, source_id: int, msg: str) -> Iterator[None]:
    database = engine.url.database
    if not database or database == ":memory:":
        yield
        return
    folder = Path(f"{database}.locks")
    folder.mkdir(exist_ok=True)
    try:
        with FileLock(folder / f"source-{source_id}.lock", timeout=0):
            yield
    except Timeout as error:
        raise ConflictError(msg) from error
