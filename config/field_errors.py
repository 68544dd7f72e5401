"""What a check of fields found, in words that a page can say in its reader's language.

pydantic says what it found by a type and a context
(https://docs.pydantic.dev/latest/errors/validation_errors/). Its own words are English and for
programmers: what it calls a tuple is a list to whoever fills in a form or writes a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from config.phrases import Phrase, later, nlater, nphrase, phrase

#: What is said of a type; `%(name)s` are of its context.
FOUND: Mapping[str, str] = {
    "missing": later("is missing"),
    "extra_forbidden": later("is not known here: remove it"),
    "invalid_key": later("has a key that is no text"),
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dataclass_type", "dict_type", "mapping_type"),
        later("is not a mapping of keys and values"),
    ),
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
        later("is not a list"),
    ),
    **dict.fromkeys(
        ("string_type", "string_unicode", "bytes_type", "string_sub_type"), later("is not a text")
    ),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), later("is not a whole number")),
    "int_parsing_size": later("is too large a number"),
    **dict.fromkeys(
        ("float_type", "float_parsing", "finite_number", "decimal_type", "decimal_parsing"),
        later("is not a number"),
    ),
    "greater_than": later("must be more than %(gt)s"),
    "greater_than_equal": later("must be at least %(ge)s"),
    "less_than": later("must be less than %(lt)s"),
    "less_than_equal": later("must be at most %(le)s"),
    "multiple_of": later("must be a multiple of %(multiple_of)s"),
    **dict.fromkeys(("bool_type", "bool_parsing"), later("is neither yes nor no")),
    **dict.fromkeys(("enum", "literal_error"), later("is not one of: %(expected)s")),
    **dict.fromkeys(
        (
            *("date_type", "date_parsing", "date_from_datetime_parsing"),
            "date_from_datetime_inexact",
        ),
        later("is not a day; write for example 2026-03-31"),
    ),
    **dict.fromkeys(("time_type", "time_parsing"), later("is not a time of day")),
    **dict.fromkeys(
        (
            *("datetime_type", "datetime_parsing", "datetime_object_invalid"),
            "datetime_from_date_parsing",
        ),
        later("is not a time"),
    ),
    "timezone_aware": later("is a time without its zone; write for example 2026-03-31T09:00Z"),
    **dict.fromkeys(
        ("time_delta_type", "time_delta_parsing"),
        later("is no duration: write for example 60s, 5m, 1h, 1h 30m or 2d"),
    ),
    **dict.fromkeys(("url_type", "url_parsing"), later("is not a web address")),
    "json_invalid": later("is not JSON"),
    "json_type": later("is not JSON"),
    "path_type": later("is not the path of a file"),
    "union_tag_invalid": later("is not one of: %(expected_tags)s"),
}

#: What is said where a length decides: of one and of many, and the length in the context.
COUNTED: Mapping[str, tuple[tuple[str, str], str]] = {
    "string_too_long": (
        nlater("has more than %(num)s character", "has more than %(num)s characters"),
        "max_length",
    ),
    "string_too_short": (
        nlater("has fewer than %(num)s character", "has fewer than %(num)s characters"),
        "min_length",
    ),
    "too_long": (
        nlater("has more than %(num)s entry", "has more than %(num)s entries"),
        "max_length",
    ),
    "too_short": (
        nlater("has fewer than %(num)s entry", "has fewer than %(num)s entries"),
        "min_length",
    ),
}

#: What is said of a text of another form, by how the pattern that it has to match begins.
FORMS: Mapping[str, str] = {
    r"^[a-z0-9][a-z0-9_-]": later("use small letters, digits, - and _ only"),
    r"^[a-z][a-z0-9_]": later("use small letters, digits and _ only"),
    r"^[\w.@-]": later("use letters, digits, dots, @, - and _ only"),
    r"^[\w-]": later("use letters, digits, - and _ only"),
    r"^[a-z]{2,3}$": later("is no code of a language; write for example en or es"),
}

#: Of any other form.
OTHER_FORM = later("is not written in the form that is asked for")

#: What is said of everything else: right, if it says little.
OTHERWISE = later("is not what belongs here")


#: How pydantic writes a length of time in a context: `1 hour and 30 minutes`.
_PART = re.compile(r"(\d+) ([dhms])[a-z]+")
_LENGTH_OF_TIME = re.compile(r"(?:(?:, | and )?\d+ (?:day|hour|minute|second)s?)+")


def what_is_wrong(problem: Mapping[str, Any]) -> Phrase:
    """Return what is wrong with a field, without its name.

    Args:
        problem: One of pydantic's `ValidationError.errors()`.

    """
    kind, context = problem["type"], problem.get("ctx") or {}
    if kind in {"value_error", "assertion_error"}:
        return _own(context.get("error"))
    if kind in COUNTED:
        (one, many), length = COUNTED[kind]
        return nphrase(one, many, int(context[length]))
    if kind == "string_pattern_mismatch":
        return Phrase(_form(str(context.get("pattern"))), {})
    template = FOUND.get(kind, OTHERWISE)
    values = {name: _value(value) for name, value in context.items()} if "%(" in template else {}
    return Phrase(template, values)


def _form(pattern: str) -> str:
    return next((said for begin, said in FORMS.items() if pattern.startswith(begin)), OTHER_FORM)


def _value(value: object) -> object:
    """Return a value of a context as people write it."""
    if not isinstance(value, str):
        return value
    if _LENGTH_OF_TIME.fullmatch(value):
        return " ".join(f"{number}{unit}" for number, unit in _PART.findall(value))
    # It lists what it expects as 'a', 'b' or 'c'.
    return value.replace("' or '", "', '")


def _own(error: object) -> Phrase:
    """Return the words of a check of ours, which remember what they were made of."""
    said = error.args[0] if isinstance(error, Exception) and error.args else ""
    if isinstance(said, Phrase):
        return said
    return Phrase(str(said), {}) if said else phrase(OTHERWISE)


def of_field(label: str, problem: Mapping[str, Any]) -> Phrase:
    """Return what is wrong with a field, under its name; without a name, of the whole."""
    what = what_is_wrong(problem)
    return under(label, what) if label else what


def under(label: str, what: str) -> Phrase:
    """Return what is said of something, under its name."""
    return phrase("%(field)s: %(what)s", field=label, what=what)
