"""Finding what names a person in every table, whichever package it belongs to.

The tables that are about a person are known (`crm_link.privacy.rows`); a handle also stands in
other people's posts, in notes, in answers of platforms, in timelines. So every column that holds
text is looked at, also of tables that are added later. The database finds rows that may name the
person, and the pattern decides here.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Enum,
    LargeBinary,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    cast,
    delete,
    false,
    func,
    inspect,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, sessionmaker

from config.db import Base, in_transaction, read_session
from config.kept_phrases import PhraseText, from_json, to_json
from config.phrases import Phrase
from crm_link.privacy.identifiers import ERASED, Redaction

#: What is set by the company's own people or files, or says nothing of anybody. Where a person is
#: named there, the receipt says so, and somebody has to decide.
PROTECTED = frozenset(
    {
        *("brand", "source", "protocol_version", "protocol_seen", "on_call_calendar"),
        *("user_account", "api_key", "suppression", "link_refusal", "name_count"),
    }
)
#: Profiles and records: the person's own were emptied before, and others are namesakes, or what
#: an erasure of the account or of the record alone leaves.
PEOPLE = frozenset({"author", "contact", "contact_key"})
#: The plan of the erasure itself until it is done, the version of the tables, and files of reports,
#: which go as a whole: by chance a packed one has any few letters in it.
_NO_TABLES = frozenset({"erasure_request", "alembic_version", "report_file"})
#: SQLite's indexes of texts: they follow their tables by themselves.
_SEARCH = "_search"

#: Values here go into CRM records or come from there: half of one would be nonsense.
_RECORDS = frozenset({"write_back", "crm_journal"})
#: Columns that hold lists of words.
_WORDS = frozenset({("topic", "words"), ("incident_claim", "words"), ("incident_why", "content")})
#: Kept only to be looked at: one that names the person goes as a whole.
_WHOLE = frozenset({"raw_post", "quarantined_item"})

#: Texts up to this length are words of ours: platforms, kinds, states.
_OWN_WORDS = 40

#: Of this process only: what stands for an erased key is not to be found by hashing guesses.
_SALT = secrets.token_bytes(16)

#: Rows that are read at once where each has to be unpacked.
BATCH = 500

Counts = Counter[str]


def sweep(
    sessions: sessionmaker[Session], redaction: Redaction, *, skip: frozenset[str] = frozenset()
) -> Counts:
    """Take what names the person out of every row; return the changed rows by table.

    Args:
        sessions: Where they are; each batch is a transaction of its own.
        redaction: What names them.
        skip: Tables whose turn comes later.

    """
    found: Counts = Counter()
    if not redaction.identifiers:
        return found
    for table in all_tables(sessions):
        if table.name not in PROTECTED | PEOPLE | skip:
            for part in _parts(sessions, table, redaction):
                work = partial(_change, table=table, rows=part, redaction=redaction)
                found[table.name] += in_transaction(sessions, work)
    return +found


def remaining(sessions: sessionmaker[Session], redaction: Redaction) -> Counts:
    """Return how many rows name the person, by table; `PROTECTED` ones and `PEOPLE` too."""
    found: Counts = Counter()
    if not redaction.identifiers:
        return found
    for table in all_tables(sessions):
        found[table.name] = sum(len(part) for part in _parts(sessions, table, redaction))
    return +found


def all_tables(sessions: sessionmaker[Session]) -> list[Table]:
    """Return the tables that the database has, but for that of the erasures themselves.

    Also those that this process has no model of: a newer version's, or a plugin's.
    """
    with read_session(sessions) as session:
        bind = session.connection()
        names = set(inspect(bind).get_table_names())
        others = MetaData()
        unknown = {
            name for name in names - set(Base.metadata.tables) - _NO_TABLES if _SEARCH not in name
        }
        others.reflect(bind=bind, only=sorted(unknown))
    known = [table for table in Base.metadata.sorted_tables if table.name in names]
    found = [*known, *others.sorted_tables]
    return [one for one in found if one.name in names - _NO_TABLES and one.primary_key.columns]


def _parts(
    sessions: sessionmaker[Session], table: Table, redaction: Redaction
) -> Iterator[list[RowMapping]]:
    """Yield the rows of a table that name the person, in batches by key."""
    columns = _texts(table)
    if not columns:
        return
    keys = list(table.primary_key.columns)
    binary = [column for column in columns if isinstance(column.type, LargeBinary)]
    condition = _may_name(columns, redaction) if not binary else None
    last: RowMapping | None = None
    while True:
        query = select(*keys, *(one for one in columns if one not in keys)).order_by(*keys)
        if condition is not None:
            query = query.where(condition)
        if last is not None:
            query = query.where(_after(keys, last))
        with read_session(sessions) as session:
            rows = session.execute(query.limit(BATCH)).mappings().all()
        if not rows:
            return
        last = rows[-1]
        naming = [row for row in rows if any(_names(c, row[c], redaction) for c in columns)]
        if naming:
            yield naming


def _after(keys: Sequence[Column[Any]], last: RowMapping) -> ColumnElement[bool]:
    return tuple_(*keys) > tuple_(*(last[key] for key in keys))


def _texts(table: Table) -> list[Column[Any]]:
    """Return the columns that hold text of any kind."""
    return [
        column
        for column in table.columns
        if isinstance(_stored_type(column), String | JSON | LargeBinary)
        and not isinstance(column.type, Enum)
        and (getattr(column.type, "length", None) or _OWN_WORDS + 1) > _OWN_WORDS
        and not column.foreign_keys
    ]


def _stored_type(column: Column[Any]) -> object:
    """Return what the database holds, whatever reading makes of it: a phrase is a text."""
    return column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type


def _may_name(columns: Sequence[Column[Any]], redaction: Redaction) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    for column in columns:
        text = cast(column, Text)
        for needle in redaction.needles():
            found = func.lower(text) if needle.isascii() and "\\" not in needle else text
            conditions.append(found.contains(needle, autoescape=True))
    return or_(false(), *conditions)


def _names(column: Column[Any], value: object, redaction: Redaction) -> bool:
    if value is None:
        return False
    if isinstance(value, bytes):
        return redaction.names_them(_unpack(value))
    if isinstance(value, str) and not isinstance(value, Phrase):
        return redaction.names_them(value)
    plain = to_json(value)
    return bool(_without_json(column, plain, redaction) != plain)


def _unpack(payload: bytes) -> str:
    try:
        return zlib.decompress(payload).decode("utf-8", "replace")
    except zlib.error:
        return payload.decode("utf-8", "replace")


def _change(
    session: Session, table: Table, rows: Sequence[RowMapping], redaction: Redaction
) -> int:
    keys = list(table.primary_key.columns)
    unique = _unique_columns(table)
    for row in rows:
        where = and_(*(key == row[key] for key in keys))
        if table.name in _WHOLE:
            session.execute(delete(table).where(where))
            continue
        changed = {
            column.name: _without(column, row[column], redaction, unique)
            for column in _texts(table)
            if _names(column, row[column], redaction)
        }
        session.execute(update(table).where(where).values(changed))
    return len(rows)


def _unique_columns(table: Table) -> set[str]:
    found = {column.name for column in table.primary_key.columns}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            found.update(column.name for column in constraint.columns)
    for index in table.indexes:
        if index.unique:
            found.update(column.name for column in index.columns)
    return found | {column.name for column in table.columns if column.unique}


def _without(
    column: Column[Any],
    value: Any,  # noqa: ANN401 - what a column holds
    redaction: Redaction,
    unique: set[str],
) -> object:
    if isinstance(value, bytes):
        return None if column.nullable else b""
    if isinstance(value, str) and not isinstance(value, Phrase):
        length = getattr(column.type, "length", None)
        if column.name in unique:
            # Another one for each row, so that the key stays one; nobody can read it back.
            token = hashlib.blake2b(value.encode(), digest_size=6, key=_SALT).hexdigest()
            text = f"{ERASED}{token}"
        else:
            text = redaction.in_text(value)
        return text[:length] if length else text
    found: object = from_json(_without_json(column, to_json(value), redaction))
    return found


def _without_json(column: Column[Any], value: object, redaction: Redaction) -> object:
    """Return JSON, or what a phrase is made of, without what names the person."""
    table = column.table.name
    return redaction.in_json(
        value,
        clears=table in _RECORDS and not isinstance(column.type, PhraseText),
        drops_words=(table, column.name) in _WORDS,
    )
