"""`column = any of these values` with one parameter, however many values there are.

An IN list is compiled anew for each length: at 1,000 values that costs more than the query.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, String, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.db import is_sqlite


def any_of(
    session: Session, column: InstrumentedAttribute[Any], values: Iterable[int | str]
) -> ColumnElement[bool]:
    """Return the condition that `column`, a number or a text, is one of `values`."""
    listed = list(values)
    if is_sqlite(session):
        given = bindparam(None, orjson.dumps(listed).decode(), String())
        table = func.json_each(given).table_valued("value")
        return column.in_(select(table.c.value))
    return column == any_(bindparam(None, listed, ARRAY(column.type)))


def any_given(
    column: Column[Any] | InstrumentedAttribute[Any], name: str, *, on_sqlite: bool
) -> ColumnElement[bool]:
    """Return the same condition with the parameter `name`, which `given` makes the value of.

    For a statement that is built once and run often: building costs several times what running
    it does.
    """
    if on_sqlite:
        table = func.json_each(bindparam(name, type_=String())).table_valued("value")
        return column.in_(select(table.c.value))
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def given(session: Session, values: Iterable[int | str]) -> str | list[int | str]:
    """Return the value of a parameter of `any_given`."""
    listed = list(values)
    return orjson.dumps(listed).decode() if is_sqlite(session) else listed
