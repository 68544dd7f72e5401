"""Making a database forget what was deleted from it.

A deleted row stays in the file until its page is written again; so does a word in the index of
the full-text search. Copies that the company makes of the database (backups, replicas, the
write-ahead log of PostgreSQL) are out of reach, and the receipt says so.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from config.db import Base, is_sqlite
from config.errors import TransientError


def compact(sessions: sessionmaker[Session], tables: Collection[str]) -> str:
    """Free the tables of what was deleted; return what was done, for the receipt.

    On SQLite the whole file is written anew, which needs its size again for a moment, and
    nobody else may write meanwhile: about 20 s for a gigabyte.

    Raises:
        TransientError: Somebody reads an old state of the file; to be tried again.

    """
    with sessions() as session:
        engine = session.get_bind()
        on_sqlite = is_sqlite(session)
    assert isinstance(engine, Engine)
    if on_sqlite:
        _compact_file(engine)
        return "the database file was written anew"
    known = sorted(set(tables) & set(Base.metadata.tables))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in known:
            # The statistics hold values too.
            connection.execute(text(f'VACUUM (ANALYZE) "{name}"'))
    return f"{len(known)} tables were vacuumed; the server's own log and backups are yours"


def _compact_file(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        for (name,) in cursor.fetchall():  # the indexes of full-text search keep deleted words
            cursor.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")  # noqa: S608 - ours
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    if found is not None and found[0]:
        raise TransientError("the database is being read, so that its log cannot be emptied yet")
