"""The look-ups of linking by key, as plain SQL: building them from parts costs more than they do.

Each has one parameter with all keys, and takes no more rows of a key than are looked at.
SQLite has no LATERAL, so there the rows of a key are counted, up to the bound, first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.db import is_sqlite

_KEYS_AT_ONCE = 4_000

_SQLITE_KEYS = text(
    "SELECT k.value, m.contact_id FROM json_each(:keys) AS k"
    " JOIN match_key AS m ON m.key = k.value"
    " WHERE (SELECT count(*) FROM (SELECT 1 FROM match_key AS c WHERE c.key = k.value"
    " LIMIT :above)) < :above"
)
_POSTGRES_KEYS = text(
    "SELECT k.key, m.contact_id FROM unnest(CAST(:keys AS bigint[])) AS k(key),"
    " LATERAL (SELECT contact_id FROM match_key WHERE match_key.key = k.key LIMIT :above) AS m"
)
_SQLITE_VALUES = text(
    "SELECT k.kind, k.value, k.contact_id FROM json_each(:pairs) AS p"
    " JOIN contact_key AS k ON k.kind = p.value ->> 0 AND k.value = p.value ->> 1"
    " WHERE (SELECT count(*) FROM (SELECT 1 FROM contact_key AS c"
    " WHERE c.kind = p.value ->> 0 AND c.value = p.value ->> 1 LIMIT :above)) < :above"
)
_POSTGRES_VALUES = text(
    "SELECT p.kind, p.value, k.contact_id"
    " FROM unnest(CAST(:kinds AS text[]), CAST(:texts AS text[])) AS p(kind, value),"
    " LATERAL (SELECT contact_id FROM contact_key WHERE contact_key.kind = p.kind"
    " AND contact_key.value = p.value LIMIT :above) AS k"
)
_SQLITE_COUNTS = text(
    "SELECT n.kind, n.value, n.contacts FROM json_each(:pairs) AS p"
    " JOIN name_count AS n ON n.kind = p.value ->> 0 AND n.value = p.value ->> 1"
)
_POSTGRES_COUNTS = text(
    "SELECT n.kind, n.value, n.contacts"
    " FROM unnest(CAST(:kinds AS text[]), CAST(:texts AS text[])) AS p(kind, value)"
    " JOIN name_count AS n ON n.kind = p.kind AND n.value = p.value"
)


def contacts_by_key(session: Session, keys: Collection[int], most: int) -> dict[int, list[int]]:
    """Return the contacts of each match key that at most `most` contacts have."""
    found: dict[int, list[int]] = defaultdict(list)
    ordered = sorted(keys)
    is_lite = is_sqlite(session)
    for start in range(0, len(ordered), _KEYS_AT_ONCE):
        part = ordered[start : start + _KEYS_AT_ONCE]
        given = orjson.dumps(part).decode() if is_lite else part
        query = _SQLITE_KEYS if is_lite else _POSTGRES_KEYS
        for key, contact_id in session.execute(query, {"keys": given, "above": most + 1}):
            found[key].append(contact_id)
    return {key: group for key, group in found.items() if len(group) <= most}


def contacts_by_value(
    session: Session, pairs: Collection[tuple[str, str]], most: int
) -> dict[tuple[str, str], list[int]]:
    """Return the contacts of each (kind, value) that at most `most` contacts have."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for part in _parts(pairs):
        if is_sqlite(session):
            given = {"pairs": orjson.dumps(part).decode(), "above": most + 1}
            rows = session.execute(_SQLITE_VALUES, given)
        else:
            rows = session.execute(_POSTGRES_VALUES, _columns(part) | {"above": most + 1})
        for kind, value, contact_id in rows:
            found[kind, value].append(contact_id)
    return {pair: group for pair, group in found.items() if len(group) <= most}


def name_counts(session: Session, pairs: Collection[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Return how many contacts have each (kind, value), by kind."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for part in _parts(pairs):
        if is_sqlite(session):
            rows = session.execute(_SQLITE_COUNTS, {"pairs": orjson.dumps(part).decode()})
        else:
            rows = session.execute(_POSTGRES_COUNTS, _columns(part))
        for kind, value, count in rows:
            found[kind][value] = count
    return found


def _parts(pairs: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    ordered = sorted(pairs)
    return [
        ordered[start : start + _KEYS_AT_ONCE] for start in range(0, len(ordered), _KEYS_AT_ONCE)
    ]


def _columns(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {"kinds": [kind for kind, _ in pairs], "texts": [value for _, value in pairs]}
