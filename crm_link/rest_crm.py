"""What the CRMs that are called over HTTP share: reading their pages as contacts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from crm_link.crm_fields import RecordReader
from crm_link.types import ContactPage, ContactRecord

Record = Mapping[str, Any]


def page_of(
    reader: RecordReader,
    records: Iterable[Record],
    cursor: str | None,
    *,
    values: Callable[[Record], Record] = lambda one: one,
    updated_at: Callable[[Record], datetime | None],
    gone: Callable[[Record], Iterable[str]],
    key: str = "id",
) -> ContactPage:
    """Return the contacts of an answer; a record that is not understood is named, not lost.

    Args:
        reader: What understands a record.
        records: The answer's records.
        cursor: Where the next page starts.
        values: The fields of a record.
        updated_at: When it was changed.
        gone: Ids of contacts that are gone, by this record: itself, or merged into it.
        key: Where a record has its id.

    """
    found: list[ContactRecord] = []
    rejected: list[str] = []
    for one in records:
        lost = tuple(gone(one))
        found.extend(ContactRecord(name, is_deleted=True) for name in lost)
        if one[key] in lost:
            continue
        try:
            found.append(reader.read(values(one), updated_at=updated_at(one)))
        except ValueError as error:
            rejected.append(f"contact {one[key]}: {error}")
    return ContactPage(tuple(found), cursor, tuple(rejected))
