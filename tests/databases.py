"""Databases of tests: each test has one of its own, copied from one that was made once."""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, create_engine, make_url, text

from config.db import make_engine

POSTGRES_URL = os.environ.get("GROUNDSWELL_TEST_POSTGRES_URL", "")

#: Databases that wait for being dropped: 12 MB each.
MOST_DROPS = 20


class Template(Protocol):
    """A database that tests' own ones are copied from."""

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        """Give the address of a copy; what it leaves in `folder` ends with that."""


class SqliteTemplate:
    """A database in a file; nobody uses it any more."""

    def __init__(self, path: Path) -> None:
        engine = make_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        engine.dispose()
        self.content = path.read_bytes()

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        path = folder / "test.db"
        path.write_bytes(self.content)
        yield f"sqlite:///{path}"


class PostgresServer:
    """The server that tests make databases on; one that a test is done with goes meanwhile.

    Dropping one waits for the server's disk, so the next test does not wait for it.
    """

    def __init__(self) -> None:
        url = make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
        self._admin: Engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._dropper = ThreadPoolExecutor(1, "dropper")
        self._drops: deque[Future[None]] = deque()

    def create(self, *, template: str = "template1") -> str:
        """Make a database and return its name."""
        name = f"groundswell_test_{uuid.uuid4().hex[:12]}"
        with self._admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return name

    def drop(self, name: str) -> None:
        """Drop a database soon; waits where many are to be dropped already.

        Raises:
            sqlalchemy.exc.DBAPIError: An earlier one could not be dropped.
        """
        self._drops.append(self._dropper.submit(self._drop, name))
        if len(self._drops) > MOST_DROPS:
            self._drops.popleft().result()

    def close(self) -> None:
        """Wait until all that were to be dropped are.

        Raises:
            sqlalchemy.exc.DBAPIError: One could not be dropped.
        """
        self._dropper.shutdown()
        self._admin.dispose()
        for drop in self._drops:
            drop.result()

    def _drop(self, name: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


class PostgresTemplate:
    """A database on the server; nobody is connected to it any more."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self._server = server
        self._name = name

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        del folder
        name = self._server.create(template=self._name)
        yield address(name)
        self._server.drop(name)


def address(name: str) -> str:
    """Return the address of a database on the server of the tests."""
    return make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
