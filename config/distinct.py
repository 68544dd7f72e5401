"""The few different values that a column of many rows has, as a filter offers them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute


def distinct_values(
    column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> Select[tuple[str]]:
    """Return what asks for the different texts of a column, the empty one left out.

    One look into an index that begins with the column for each value, in one statement; for
    DISTINCT the databases read every row. It is made once and asked often: making it costs more
    than asking it.
    Source: https://wiki.postgresql.org/wiki/Loose_indexscan.
    """
    first = select(func.min(column).label("value")).where(column > "", *conditions)
    seen = first.cte("seen", recursive=True)
    after = select(func.min(column)).where(column > seen.c.value, *conditions)
    following = select(after.scalar_subquery()).where(seen.c.value.is_not(None))
    seen = seen.union_all(following)
    return select(seen.c.value).where(seen.c.value.is_not(None))
