"""The database: engines, sessions, column types and the declarative base.

SQLite is the embedded default, PostgreSQL is production; everything above this module is
written once for both. A function that takes `session` is inside somebody's transaction
and never commits. A function that takes `sessions` opens short transactions of its own:
`with sessions.begin() as session` to write, `with read_session(sessions) as session` to
read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from config.clock import to_utc
from config.errors import InputError

T = TypeVar("T")

#: How long a writer waits for another writer on SQLite, in milliseconds.
BUSY_TIMEOUT_MS = 30_000

#: How often a transaction is tried that deadlocks with others.
MOST_TRIES = 4

#: PostgreSQL's codes of a deadlock and of a serialization failure.
_STOOD_IN_THE_WAY = {"40P01", "40001"}

#: How long PostgreSQL may take to accept a connection, in seconds.
CONNECT_TIMEOUT_S = 10

#: Seconds that a connection to PostgreSQL rests before it is asked whether it still stands.
PING_AFTER_S = 1.0

#: Connections to PostgreSQL that one process keeps; it takes as many more at its busiest:
#: eight sources hold two each, sixteen alerts leave at once, and the console asks beside them.
POOL_SIZE = 20

#: Names for constraints, so that a migration can drop each of them on both databases.
NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: A 64-bit key that SQLite can still auto-number.
BigKey = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite has no zones and gets the bare UTC time."""
        if value is None:
            return None
        moment = to_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC whatever zone the database session has."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_text(kind: type[StrEnum]) -> Enum:
    """Return a column type that stores the enum's values as text, without a constraint."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [str(member.value) for member in members],
    )


class Base(DeclarativeBase):
    """The declarative base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        int: BigKey,
        str: Text(),
        datetime: UTCDateTime(),
        dict[str, Any]: JSON().with_variant(JSONB(), "postgresql"),
        list[str]: JSON().with_variant(JSONB(), "postgresql"),
        list[dict[str, Any]]: JSON().with_variant(JSONB(), "postgresql"),
    }


#: Memory of a sort or a hash is raised only; whoever gives more keeps it.
_POSTGRES_SETTINGS = """
    SELECT set_config('jit', 'off', false),
           CASE WHEN pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB')
                THEN set_config('work_mem', '32MB', false) END
"""


def make_engine(url: str) -> Engine:
    """Return an engine for `url`, set up for many short transactions.

    Raises:
        InputError: `url` is not a database address, or its driver is not installed.

    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            _make_folder(parsed.database)
            engine = create_engine(parsed, hide_parameters=True)
            _set_up_sqlite(engine)
            return engine
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        )
        _set_up_postgres(engine)
        return _ping_what_rested(engine)
    except ArgumentError as error:
        msg = (
            "GROUNDSWELL_DATABASE_URL is not a database address; use for example "
            "sqlite:///groundswell.db or postgresql://user@host/groundswell"
        )
        raise InputError(msg) from error
    except ModuleNotFoundError as error:
        msg = f"the database driver {error.name} is missing: pip install 'groundswell[postgres]'"
        raise InputError(msg) from error


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return the factory of sessions that every service function takes."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def read_session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Give a session that only reads, so that on SQLite it never waits for a writer.

    What was loaded stays readable afterwards; what was not loaded cannot be any more.
    """
    with sessions() as session:
        session.connection(execution_options={"groundswell_read_only": True})
        yield session


def in_transaction(sessions: sessionmaker[Session], work: Callable[[Session], T]) -> T:
    """Return what `work` gives in a transaction; done again where another one stood in its way.

    PostgreSQL ends one of two transactions that wait for each other. What waits in a queue is
    found again anyway; this is for work whose input would have to be fetched once more.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            with sessions.begin() as session:
                return work(session)
        except OperationalError as error:
            if not stood_in_the_way(error):
                raise
    with sessions.begin() as session:
        return work(session)


def stood_in_the_way(error: OperationalError) -> bool:
    """Say whether another transaction made the database end this one: it may be done again."""
    return getattr(error.orig, "sqlstate", None) in _STOOD_IN_THE_WAY


def _make_folder(database: str | None) -> None:
    if database and database != ":memory:" and not database.startswith("file:"):
        Path(database).expanduser().resolve().parent.mkdir(parents=True, exist_ok=True)


def _ping_what_rested(engine: Engine) -> Engine:
    """Ask a connection that rested whether it still stands, and take a new one if not.

    What SQLAlchemy does itself (`pool_pre_ping`) asks before every transaction, also where one
    follows the other: a fourth of what a short one waits for the server.
    """

    @event.listens_for(engine, "checkin")
    def _checkin(connection: Any, record: Any) -> None:  # noqa: ANN401 - the driver's own types
        del connection
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ANN401 - the same
        del proxy
        rests_since = record.info.get("rests_since")
        if rests_since is None or time.monotonic() - rests_since < PING_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return engine


def _set_up_postgres(engine: Engine) -> None:
    """Give a connection what statements of a service need, where the server gives less.

    Compiling a statement (JIT) takes 0.2 s, longer than running any of ours; and with the 4 MB that
    a server gives by default the groups of some 100,000 rows are sorted on disk instead of
    hashed (docs/operations.md).
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:  # noqa: ANN401 - the driver's own types
        del record
        with connection.cursor() as cursor:
            cursor.execute(_POSTGRES_SETTINGS)
        connection.commit()


def _set_up_sqlite(engine: Engine) -> None:
    """Switch on WAL and foreign keys, and let SQLAlchemy say BEGIN itself.

    The driver's own BEGIN is off, else savepoints break. A writer begins IMMEDIATE: a
    transaction that reads first and writes later would be refused with "database is
    locked" when another one wrote in between, whatever the timeout.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:  # noqa: ANN401 - the driver's own types
        del record
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-32000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("groundswell_read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def is_sqlite(session: Session) -> bool:
    """Say whether `session` talks to SQLite."""
    return cast("Engine", session.get_bind()).dialect.name == "sqlite"
