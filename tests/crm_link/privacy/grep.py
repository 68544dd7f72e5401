"""Looking for words in everything that a database and a folder hold."""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker


def grep_database(sessions: sessionmaker[Session], *words: str) -> list[str]:
    """Return `table.column: word` of every column of every table that holds a word."""
    found = []
    with sessions() as session:
        for table, column in _columns(session):
            for (value,) in session.execute(text(f'SELECT "{column}" FROM "{table}"')):
                shown = _shown(value).casefold()
                found += [f"{table}.{column}: {word}" for word in words if word.casefold() in shown]
        session.rollback()
    return sorted(set(found))


def grep_files(folder: Path, *words: str) -> list[str]:
    """Return `file: word` of every file below a folder whose bytes hold a word."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes().lower()
            found += [f"{path.name}: {word}" for word in words if word.lower().encode() in data]
    return found


def _columns(session: Session) -> list[tuple[str, str]]:
    if session.get_bind().dialect.name == "postgresql":
        query = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
        return [(table, column) for table, column in session.execute(text(query))]
    tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    return [
        (table, row.name)
        for table in tables
        for row in session.execute(text(f"PRAGMA table_info('{table}')"))
        if not (table == "mention_search" and row.name in {"mention_search", "rank"})
    ]


def _shown(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        data = bytes(value)
        with contextlib.suppress(zlib.error):
            data = zlib.decompress(data)
        return data.decode("utf-8", "replace")
    # JSON in SQLite is ASCII with escapes.
    shown = str(value)
    return shown.encode().decode("unicode_escape") if "\\u" in shown else shown
