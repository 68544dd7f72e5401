"""Which workers live, so that what a killed one had claimed is sent at once by another.

On PostgreSQL each worker holds an advisory lock in a session of its own: the server lets go
of it when the process or its machine's connection is gone. On SQLite there is one worker at a
time (a lock on the database's file sees to it), so that every other one is dead. Without
either, a claim ends with its lease.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from typing import cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.logs import get_logger

log = get_logger(__name__)

#: Marks our advisory locks among others in the database; any number.
_LOCKS = 0x67_73_77

_ALIVE = text(
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :locks "
    "AND objsubid = 2 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Presence:
    """This worker's sign of life, held for as long as the process lives.

    Args:
        sessions: Where the database is.

    """

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._engine = cast("Engine", sessions.kw["bind"])
        self._number = secrets.randbelow(2**31)
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @property
    def worker(self) -> str:
        """This worker's name, as its claims carry it."""
        return str(self._number)

    def alive(self) -> frozenset[str] | None:
        """Return the workers that live; None where that cannot be known now."""
        if self._engine.dialect.name == "sqlite":
            return frozenset({self.worker})
        with self._lock:
            try:
                connection = self._held()
                numbers = connection.execute(_ALIVE, {"locks": _LOCKS}).scalars().all()
            except SQLAlchemyError as error:
                log.warning("sign of life lost", kind=type(error).__name__)
                self._let_go()
                return None
        found = frozenset(str(number) for number in numbers)
        # A pooler between us and the server may have given our session to others.
        return found if self.worker in found else None

    def close(self) -> None:
        """Let go of the sign of life."""
        with self._lock:
            self._let_go()

    def _held(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection = connection
            taken = {"locks": _LOCKS, "number": self._number}
            connection.execute(text("SELECT pg_advisory_lock(:locks, :number)"), taken)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                # Not back into the pool: the lock goes with its session.
                self._connection.invalidate()
                self._connection.close()
            self._connection = None
