"""The look-ups of linking by key, as plain SQL: building them from parts costs more than they do.

Each has one parameter with all keys, and takes no more rows of a key than are looked at.
SQLite has no LATERAL, so there the rows of a key are counted, up to the bound, first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.db import is_sqlite

_KEYS_AT_ONCE = 4_000

#: A match key, or a kind and a value, and a contact that has it.
_Row = tuple[Any, ...]

_SQLITE_KEYS = text(
    "SELECT k.value, m.contact_id FROM json_each(:keys) AS k"
    " JOIN match_key AS m ON m.key = k.value"
    " WHERE (SELECT count(*) FROM (SELECT 1 FROM match_key AS c WHERE c.key = k.value"
    " LIMIT :above)) < :above"
)
_SQLITE_VALUES = text(
    "SELECT k.kind, k.value, k.contact_id FROM json_each(:pairs) AS p"
    " JOIN contact_key AS k ON k.kind = p.value ->> 0 AND k.value = p.value ->> 1"
    " WHERE (SELECT count(*) FROM (SELECT 1 FROM contact_key AS c"
    " WHERE c.kind = p.value ->> 0 AND c.value = p.value ->> 1 LIMIT :above)) < :above"
)
# Both in one: a look-up takes less time than the way to the server and back.
_POSTGRES_BOTH = text(
    "SELECT k.key, NULL AS kind, NULL AS value, m.contact_id"
    " FROM unnest(CAST(:keys AS bigint[])) AS k(key),"
    " LATERAL (SELECT contact_id FROM match_key WHERE match_key.key = k.key"
    " LIMIT :above_key) AS m"
    " UNION ALL SELECT NULL, p.kind, p.value, c.contact_id"
    " FROM unnest(CAST(:kinds AS text[]), CAST(:texts AS text[])) AS p(kind, value),"
    " LATERAL (SELECT contact_id FROM contact_key WHERE contact_key.kind = p.kind"
    " AND contact_key.value = p.value LIMIT :above_value) AS c"
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


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts by what they share with somebody: what too many have is left out.

    Args:
        by_key: Contacts of each match key.
        by_value: Contacts of each (kind, value).

    """

    by_key: dict[int, list[int]]
    by_value: dict[tuple[str, str], list[int]]


def find_contacts(
    session: Session,
    keys: Collection[int],
    pairs: Collection[tuple[str, str]],
    *,
    most_of_key: int,
    most_of_value: int,
) -> Contacts:
    """Return the contacts of each match key and of each (kind, value).

    A key that more than `most_of_key` contacts have is left out, and a value that more than
    `most_of_value` have.
    """
    by_key: dict[int, list[int]] = defaultdict(list)
    by_value: dict[tuple[str, str], list[int]] = defaultdict(list)
    ordered = sorted(keys)
    parts = [
        ordered[start : start + _KEYS_AT_ONCE] for start in range(0, len(ordered), _KEYS_AT_ONCE)
    ]
    above = {"above_key": most_of_key + 1, "above_value": most_of_value + 1}
    look_up = _in_sqlite if is_sqlite(session) else _in_postgres
    for some_keys, some_pairs in zip_longest(parts, _parts(pairs), fillvalue=()):
        for key, kind, value, contact_id in look_up(session, some_keys, some_pairs, above):
            group = by_value[kind, value] if key is None else by_key[key]
            group.append(contact_id)
    return Contacts(
        {key: group for key, group in by_key.items() if len(group) <= most_of_key},
        {pair: group for pair, group in by_value.items() if len(group) <= most_of_value},
    )


def _in_postgres(
    session: Session,
    keys: Sequence[int],
    pairs: Sequence[tuple[str, str]],
    above: Mapping[str, int],
) -> Iterable[_Row]:
    given = {"keys": list(keys), **_columns(pairs), **above}
    return (tuple(row) for row in session.execute(_POSTGRES_BOTH, given))


def _in_sqlite(
    session: Session,
    keys: Sequence[int],
    pairs: Sequence[tuple[str, str]],
    above: Mapping[str, int],
) -> Iterable[_Row]:
    if keys:
        given: dict[str, object] = {"keys": orjson.dumps(keys).decode()}
        found = session.execute(_SQLITE_KEYS, given | {"above": above["above_key"]})
        yield from ((key, None, None, contact_id) for key, contact_id in found)
    if pairs:
        given = {"pairs": orjson.dumps(pairs).decode()}
        found = session.execute(_SQLITE_VALUES, given | {"above": above["above_value"]})
        yield from ((None, kind, value, contact_id) for kind, value, contact_id in found)


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
