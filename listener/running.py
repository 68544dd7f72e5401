"""One collection of a source at a time.

Two at once would pay for the same posts twice and leave the older of two cursors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError

#: Any number: the first key of the PostgreSQL advisory locks of sources.
_SOURCE_LOCK = 715_190_119

_guard = threading.Lock()
_running: set[tuple[str, int]] = set()


@contextmanager
def only_collection_of(sessions: sessionmaker[Session], source_id: int) -> Iterator[None]:
    """Hold the source for this collection.

    Within a process by a set, across the machines of a fleet by a PostgreSQL advisory lock,
    which its server gives up when this process dies.

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
        if engine.dialect.name != "postgresql":
            yield
            return
        # Not in a transaction, which would stay open for as long as the network takes.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            lock = (_SOURCE_LOCK, source_id)
            if not connection.scalar(select(func.pg_try_advisory_lock(*lock))):
                raise ConflictError(msg)
            try:
                yield
            finally:
                connection.scalar(select(func.pg_advisory_unlock(*lock)))
    finally:
        with _guard:
            _running.discard(key)
