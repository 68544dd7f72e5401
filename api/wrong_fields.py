"""What is wrong with the fields of a request, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.phrases import Phrase, joined, later, phrase

#: What a check of pydantic found (https://docs.pydantic.dev/latest/errors/validation_errors/);
#: `%(name)s` are of its context. Others keep their English words.
_FOUND = {
    "missing": later("is missing"),
    "int_parsing": later("is not a whole number"),
    "int_type": later("is not a whole number"),
    "float_parsing": later("is not a number"),
    "float_type": later("is not a number"),
    "bool_parsing": later("is neither yes nor no"),
    "datetime_parsing": later("is not a time"),
    "datetime_from_date_parsing": later("is not a time"),
    "enum": later("is not one of: %(expected)s"),
    "literal_error": later("is not one of: %(expected)s"),
    "greater_than": later("must be more than %(gt)s"),
    "greater_than_equal": later("must be at least %(ge)s"),
    "less_than": later("must be less than %(lt)s"),
    "less_than_equal": later("must be at most %(le)s"),
    "string_too_long": later("has more than %(max_length)s characters"),
    "string_too_short": later("has fewer than %(min_length)s characters"),
}

#: The words of the framework for addresses that do not exist and methods that they do not take.
_ANSWERS = (later("Not Found"), later("Method Not Allowed"))


def wrong_fields(problems: Sequence[Mapping[str, Any]]) -> str:
    """Return what is wrong with the fields, one after the other."""
    return joined("; ", [_said(problem) for problem in problems])


def _said(problem: Mapping[str, Any]) -> Phrase:
    field = ".".join(str(part) for part in problem["loc"])
    template = _FOUND.get(problem["type"])
    what = Phrase(template, problem.get("ctx", {})) if template else Phrase(problem["msg"], {})
    return phrase("%(field)s: %(what)s", field=field, what=what)
