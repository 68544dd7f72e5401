"""Hours of a week as the protocol file says them: `mon-fri 09:00-18:00, sat 10:00-14:00`.

Wall-clock times in a zone, so that they move with daylight saving. Public holidays come from
the `holidays` library (https://holidays.readthedocs.io), by country and, after a hyphen, by
part of it: `ES`, `ES-MD`.
"""

from __future__ import annotations

import re
from datetime import date, time
from functools import lru_cache
from typing import Annotated, Any

import holidays
from pydantic import AfterValidator, Field, model_validator

from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict, known_zone

#: Monday is 0, as in `date.weekday`.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: The end of a day, which `datetime.time` cannot say.
MIDNIGHT = "24:00"

_PART = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:\s*-\s*(?P<last>[a-z]{3}))?\s+)?"
    r"(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})"
)

#: Days of the week, begin, end; an end that is not after the begin is on the next day.
Span = tuple[frozenset[int], time, time]


def _known_week(text: str) -> str:
    parse_week(text)
    return text


def _known_holidays(code: str) -> str:
    try:
        _calendar(code)
    except (NotImplementedError, KeyError, ValueError) as error:
        msg = phrase(
            "no public holidays are known for '%(code)s'; write for example ES or ES-MD", code=code
        )
        raise ValueError(msg) from error
    return code


class Hours(Strict):
    """Hours of each week, without public holidays where a country is named."""

    week: Annotated[str, AfterValidator(_known_week)] = Field(max_length=500)
    tz: Annotated[str, AfterValidator(known_zone)] | None = None
    holidays: Annotated[str, AfterValidator(_known_holidays)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        """Take the week alone for the whole."""
        return {"week": given} if isinstance(given, str) else given

    def spans(self) -> tuple[Span, ...]:
        """Return the hours: days, begin and end of each part."""
        return parse_week(self.week)

    def is_holiday(self, day: date) -> bool:
        """Say whether nothing holds on this day because it is a public holiday."""
        return self.holidays is not None and day in _calendar(self.holidays)


@lru_cache(maxsize=1024)
def parse_week(text: str) -> tuple[Span, ...]:
    """Return what a week's hours mean.

    Raises:
        ValueError: They cannot be read; the message says how to write them.

    """
    spans = []
    for part in text.strip().lower().split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            msg = phrase(
                "'%(text)s' are no hours; write for example mon-fri 09:00-18:00, sat 10:00-14:00",
                text=part.strip(),
            )
            raise ValueError(msg)
        spans.append((_days(match), _time(match["begin"]), _time(match["end"])))
    return tuple(spans)


def _days(match: re.Match[str]) -> frozenset[int]:
    if match["first"] is None:
        return frozenset(range(len(DAYS)))
    names = (match["first"], match["last"] or match["first"])
    unknown = next((name for name in names if name not in DAYS), None)
    if unknown is not None:
        msg = phrase(
            "'%(name)s' is no day of the week; write for example mon-fri 09:00-18:00, "
            "sat 10:00-14:00",
            name=unknown,
        )
        raise ValueError(msg)
    first, last = (DAYS.index(name) for name in names)
    count = (last - first) % len(DAYS) + 1
    return frozenset((first + number) % len(DAYS) for number in range(count))


def _time(text: str) -> time:
    if text == MIDNIGHT:
        return time(0)
    hour, minute = text.split(":")
    try:
        return time(int(hour), int(minute))
    except ValueError as error:
        msg = phrase(
            "'%(text)s' is no time of day; write for example mon-fri 09:00-18:00, sat 10:00-14:00",
            text=text,
        )
        raise ValueError(msg) from error


@lru_cache(maxsize=64)
def _calendar(code: str) -> holidays.HolidayBase:
    country, _, part = code.partition("-")
    return holidays.country_holidays(country.upper(), subdiv=part.upper() or None)
