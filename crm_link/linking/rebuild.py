"""Making the name keys and counts of all contacts anew.

Needed once after an upgrade, and when the home country changes, because regions are read
by it. Keys are sorted before they are written, so that the index grows at its end, and
written in short transactions, so that nobody waits. A marker is written last: killed half
way, it is done again.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from sqlalchemy import delete, exists, select, text
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.db import is_sqlite, read_session
from crm_link.context import LinkContext
from crm_link.linking.contact_keys import KEYS_VERSION
from crm_link.linking.match_index import ALL, counts_of, keys_of, known_columns, known_of
from crm_link.linking.matching_models import MatchKey, NameCount
from crm_link.linking.places import RegionBook
from crm_link.models import Contact

#: Contacts that are read at once, and keys that are written in one transaction.
_CONTACTS = 5_000
_KEYS = 250_000

_MARKER = "version"


def ensure_index(
    sessions: sessionmaker[Session],
    context: LinkContext,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> bool:
    """Make keys and counts anew if they are not there or of another version; say whether.

    Args:
        sessions: The database.
        context: The home country.
        on_progress: Called with the number of contacts read so far.

    """
    version = _version(context)
    with read_session(sessions) as session:
        is_known = select(exists().where(NameCount.kind == _MARKER, NameCount.value == version))
        if session.scalar(is_known):
            return False
        has_contacts = session.scalar(select(exists().where(Contact.deleted_at.is_(None))))
    if has_contacts:
        rebuild_index(sessions, context, on_progress=on_progress)
    else:
        with sessions.begin() as session:
            _mark(session, version)
    return bool(has_contacts)


def rebuild_index(
    sessions: sessionmaker[Session],
    context: LinkContext,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Make the keys and counts of all contacts anew; return how many contacts have them."""
    keys, owners, counts = array("q"), array("q"), Counter[tuple[str, str]]()
    for seen, (contact_id, found, counted) in enumerate(_read(sessions, context.book), 1):
        keys.extend(found)
        owners.extend([contact_id] * len(found))
        counts.update(counted)
        if on_progress is not None and seen % _CONTACTS == 0:
            on_progress(seen)
    with sessions.begin() as session:
        session.execute(delete(MatchKey))
        session.execute(delete(NameCount))
    hashed, contact_ids = np.frombuffer(keys, np.int64), np.frombuffer(owners, np.int64)
    order = np.argsort(hashed, kind="stable")
    for start in range(0, len(order), _KEYS):
        part = order[start : start + _KEYS]
        rows = list(zip(hashed[part].tolist(), contact_ids[part].tolist(), strict=True))
        with sessions.begin() as session:
            _insert(session, rows)
    with sessions.begin() as session:
        rows_of = [
            {"kind": kind, "value": value, "contacts": count}
            for (kind, value), count in counts.items()
        ]
        upsert(session, NameCount, rows_of, key=["kind", "value"], update_columns=["contacts"])
        _mark(session, _version(context))
    return counts[ALL]


def _read(
    sessions: sessionmaker[Session], book: RegionBook
) -> Iterator[tuple[int, set[int], list[tuple[str, str]]]]:
    after = 0
    while True:
        with read_session(sessions) as session:
            rows = session.execute(
                select(*known_columns())
                .where(Contact.id > after)
                .order_by(Contact.id)
                .limit(_CONTACTS)
            ).all()
        if not rows:
            return
        for row in rows:
            if row.deleted_at is None:
                known = known_of(row, book)
                yield row.id, keys_of(known), counts_of(known)
        after = rows[-1].id


def _insert(session: Session, rows: Sequence[tuple[int, int]]) -> None:
    """Insert keys by the way that is fastest; what a sync wrote meanwhile stays."""
    connection = session.connection()
    if is_sqlite(session):
        connection.exec_driver_sql("INSERT OR IGNORE INTO match_key VALUES (?, ?)", list(rows))
        return
    session.execute(
        text(
            "INSERT INTO match_key (key, contact_id)"
            " SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:ids AS bigint[]))"
            " ON CONFLICT DO NOTHING"
        ),
        {"keys": [row[0] for row in rows], "ids": [row[1] for row in rows]},
    )


def _mark(session: Session, version: str) -> None:
    session.execute(delete(NameCount).where(NameCount.kind == _MARKER))
    row = {"kind": _MARKER, "value": version, "contacts": 0}
    upsert(session, NameCount, [row], key=["kind", "value"], update_columns=["contacts"])


def _version(context: LinkContext) -> str:
    return f"{KEYS_VERSION}-{context.country or 'none'}"
