"""Texts in the database that remember what they were made of.

A column of such texts gives a `Phrase` back, which a page says in its reader's language; what
was stored as a plain text, by people or by an older version, stays a plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import JSON, Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB

from config.phrases import Day, Moment, Number, Phrase, Share

#: Between the English text and what it was made of: a record separator, which no text has.
_SEPARATOR = "\x1e"

#: What stands in JSON for a phrase, and for its values; where it is about a number of things, the
#: text for many and the number too. An older version leaves that out, and says the text for one.
_PHRASE, _VALUES, _COUNTED = "$phrase", "$values", "$counted"

#: What stands in JSON for a phrase's figures.
_FIGURES: Mapping[str, Callable[[Any], object]] = {
    "$number": lambda kept: Number(kept[0], kept[1]),
    "$share": Share,
    "$moment": lambda kept: Moment(datetime.fromisoformat(kept)),
    "$day": lambda kept: Day(datetime.fromisoformat(kept)),
}


def to_json(value: Any) -> Any:  # noqa: ANN401 - whatever JSON may hold
    """Return JSON in which phrases and their figures remember what they were made of."""
    if isinstance(value, Phrase):
        kept: dict[str, Any] = {_PHRASE: value.template}
        if value.counted is not None:
            kept[_COUNTED] = list(value.counted)
        if value.values:
            kept[_VALUES] = {name: _value(one) for name, one in value.values.items()}
        return kept
    if isinstance(value, dict):
        return {name: to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return value


def from_json(kept: Any) -> Any:  # noqa: ANN401 - whatever JSON may hold
    """Return what `to_json` was given."""
    if isinstance(kept, list):
        return [from_json(one) for one in kept]
    if not isinstance(kept, dict):
        return kept
    template = kept.get(_PHRASE)
    if isinstance(template, str):
        values = {name: from_json(one) for name, one in kept.get(_VALUES, {}).items()}
        return Phrase(template, values, counted=_counted(kept.get(_COUNTED)))
    if len(kept) == 1:
        name, value = next(iter(kept.items()))
        if name in _FIGURES:
            return _FIGURES[name](value)
    return {name: from_json(one) for name, one in kept.items()}


def _counted(kept: object) -> tuple[str, int] | None:
    """Return what a text says of many things; None where it counts nothing."""
    match kept:
        case [str(many), int(num)]:
            return many, num
        case _:
            return None


def _value(value: object) -> Any:  # noqa: ANN401 - whatever JSON may hold
    kept: Any
    match value:
        case Number(number, digits):
            kept = {"$number": [number, digits]}
        case Share(share):
            kept = {"$share": share}
        case Moment(at):
            kept = {"$moment": at.isoformat()}
        case Day(at):
            kept = {"$day": at.isoformat()}
        case StrEnum():
            kept = {_PHRASE: value.replace("_", " ")}  # a state is looked up by its words
        case str() | int() | float() | None:
            kept = to_json(value)
        case _:
            kept = str(value)
    return kept


class PhraseText(TypeDecorator[str]):
    """A text that may be a phrase: stored as its English, and behind it what it was made of."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Store the English text first: whoever reads the table with SQL reads it."""
        del dialect
        if not isinstance(value, Phrase):
            return value and value.replace(_SEPARATOR, " ")
        kept = orjson.dumps(to_json(value), option=orjson.OPT_SORT_KEYS).decode()
        return f"{value}{_SEPARATOR}{kept}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the phrase; a plain text as it is."""
        del dialect
        if value is None or _SEPARATOR not in value:
            return value
        text, _, kept = value.rpartition(_SEPARATOR)
        try:
            found = from_json(orjson.loads(kept))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return text
        return found if isinstance(found, Phrase) else text


class PhraseJson(TypeDecorator[Any]):
    """JSON in which texts may be phrases."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - a type of either database
        """Use the binary form where there is one, as every other column of JSON does."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - JSON
        """Store what phrases were made of."""
        del dialect
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - JSON
        """Return the phrases."""
        del dialect
        return from_json(value)
