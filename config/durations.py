"""Durations as people write them in our files: `60s`, `5m`, `1h`, `1h 30m`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from config.errors import InputError
from config.phrases import later, phrase

#: Seconds in each unit.
UNITS_S = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}

#: Longer ones are typing errors, and would overflow a date when added to one.
MAX_DURATION = timedelta(days=3_650)

_NONE = later("'%(text)s' is no duration: write for example 60s, 5m, 1h, 1h 30m or 2d")

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([wdhms])", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` says.

    Raises:
        InputError: It is no duration, has no unit, or is longer than ten years.

    """
    asked = text.strip().lower()
    parts = _PART.findall(asked)
    if not parts or _PART.sub("", asked).strip():
        raise InputError(_NONE, text=text)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key=list(UNITS_S).index):
        raise InputError(
            phrase(
                "'%(text)s' names a unit twice or in the wrong order: write for example 60s, 5m, "
                "1h, 1h 30m or 2d",
                text=text,
            )
        )
    seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
    if seconds > MAX_DURATION.total_seconds():
        raise InputError(
            phrase(
                "'%(text)s' is longer than ten years: write for example 60s, 5m, 1h, 1h 30m or 2d",
                text=text,
            )
        )
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Return `duration` as `parse_duration` reads it, to the second: `1h 30m`."""
    rest = round(duration.total_seconds())
    parts = []
    for unit, width_s in UNITS_S.items():
        count, rest = divmod(rest, width_s)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def _validate(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        # A bare number is refused: nobody can know whether it means seconds or minutes.
        raise ValueError(phrase(_NONE, text=value))  # noqa: TRY004 - pydantic turns ValueError into a problem
    try:
        return parse_duration(value)
    except InputError as error:
        raise ValueError(error.said) from error


#: A field of a pydantic model that is written as `5m` and read as a timedelta.
Duration = Annotated[
    timedelta,
    BeforeValidator(_validate),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
