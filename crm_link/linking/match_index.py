"""Name keys and counts of contacts in the database: kept with each page of a sync.

The counts change by what was added and taken away in the same transaction, so that they
are right after any crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new, upsert
from crm_link.linking.levels import Known, read_contact
from crm_link.linking.match_keys import contact_match_keys, hash_key
from crm_link.linking.matching_models import MatchKey, NameCount
from crm_link.linking.places import RegionBook
from crm_link.models import Contact

#: The row of `NameCount` that counts all contacts.
ALL = ("all", "")
_MAX_VALUE = 200


def known_columns() -> tuple[Any, ...]:
    """Return the columns of a contact that are compared."""
    return (
        Contact.id,
        Contact.name,
        Contact.family_name,
        Contact.links,
        Contact.fields,
        Contact.deleted_at,
    )


def known_of(row: Any, book: RegionBook) -> Known:  # noqa: ANN401 - a row with `known_columns`
    """Return a stored contact in the forms that are compared."""
    fields: Mapping[str, Any] = row.fields
    return read_contact(
        row.name,
        family=row.family_name or "",
        region=str(fields.get("region", "")),
        city=str(fields.get("city", "")),
        links=row.links,
        book=book,
    )


def counts_of(known: Known) -> list[tuple[str, str]]:
    """Return what one contact adds one to."""
    found = [ALL, ("family", known.name.last), ("given", known.name.first)]
    found.append(("region", known.region))
    found.extend(("host", host) for host in known.hosts)
    return [one for one in found if (one[1] or one == ALL) and len(one[1]) <= _MAX_VALUE]


def keys_of(known: Known) -> set[int]:
    """Return the keys of a contact as the table holds them."""
    return {hash_key(key) for key in contact_match_keys(known)}


def load_known(session: Session, contact_ids: Iterable[int], book: RegionBook) -> dict[int, Known]:
    """Return those of the contacts that the CRM still has."""
    query: Select[Any] = select(*known_columns()).where(
        any_of(session, Contact.id, sorted(contact_ids)), Contact.deleted_at.is_(None)
    )
    return {row.id: known_of(row, book) for row in session.execute(query)}


def update_index(session: Session, before: Mapping[int, Known], after: Mapping[int, Known]) -> None:
    """Bring keys and counts from what contacts were to what they are.

    Args:
        session: The transaction that changes the contacts.
        before: What they were; contacts that are new are not in it.
        after: What they are; contacts that are gone are not in it.

    """
    changes: Counter[tuple[str, str]] = Counter()
    for known in after.values():
        changes.update(counts_of(known))
    for known in before.values():
        changes.subtract(counts_of(known))
    rows: list[dict[str, int]] = []
    stale: list[int] = []
    for contact_id in {*before, *after}:
        old = keys_of(before[contact_id]) if contact_id in before else set()
        new = keys_of(after[contact_id]) if contact_id in after else set()
        if old - new:
            stale.append(contact_id)
            old = set()
        rows.extend({"key": key, "contact_id": contact_id} for key in new - old)
    if stale:
        session.execute(delete(MatchKey).where(any_of(session, MatchKey.contact_id, sorted(stale))))
    rows.sort(key=lambda row: (row["key"], row["contact_id"]))
    insert_new(session, MatchKey, rows, key=["key", "contact_id"])
    upsert(
        session,
        NameCount,
        [
            {"kind": kind, "value": value, "contacts": count}
            for (kind, value), count in changes.items()
            if count
        ],
        key=["kind", "value"],
        add_columns=["contacts"],
    )
