"""The receipts of an erasure: one line for each table, CRM and file. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Receipt = dict[str, Any]


def receipt(system: str, item: str, state: str, rows: int = 0, detail: str = "") -> Receipt:
    """Return one line.

    Args:
        system: `database`, `CRM name`, `files`, `logs`.
        item: Of the system: a table, our fields, a file.
        state: `erased`, `cleared`, `kept` (a person has to decide), `nothing left`, `yours`.
        rows: How many rows or records.
        detail: In a few words; never what was erased.

    """
    return {"system": system, "item": item, "state": state, "rows": rows, "detail": detail}


def table_receipts(found: Mapping[str, int], state: str, detail: str = "") -> list[Receipt]:
    """Return a line for each table that has a count, by name."""
    return [
        receipt("database", name, state, rows, detail)
        for name, rows in sorted(found.items())
        if rows
    ]
