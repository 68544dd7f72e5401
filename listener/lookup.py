"""Finding many rows by their platforms' ids, fast whatever the database believes of its tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, Select, Text, cast, func, select, true
from sqlalchemy import column as sql_column
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.db import is_sqlite


def find_by_ids(
    session: Session,
    query: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[str],
    ids: Collection[str],
) -> Sequence[RowMapping]:
    """Return the rows of `query` whose `column` is one of `ids`; at most one for each id.

    On PostgreSQL each id is looked up by itself: with IN, and as long as a growing table
    has not been analysed, the planner reads all rows of a brand instead of the unique index
    (measured at 25,000 mentions on a busy machine: 430 ms for 500 ids against 22 ms).
    """
    if not ids:
        return []
    if is_sqlite(session):
        return session.execute(query.where(column.in_(ids))).mappings().all()
    array = func.unnest(cast(sorted(ids), ARRAY(Text)))
    wanted = array.table_valued(sql_column("id", Text)).render_derived(name="wanted")
    # LIMIT keeps the planner from turning this into a join of the whole table.
    one = query.where(column == wanted.c.id).limit(1).lateral("found")
    return session.execute(select(*one.c).select_from(wanted).join(one, true())).mappings().all()
