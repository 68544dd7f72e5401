"""Who is on call as the protocol file says it: rotations, or a calendar."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict, known_zone
from crm_link.escalation.protocol_parts.hours import Hours

_ON_CALL = re.compile(r"on_call\(\s*([\w-]+)\s*\)")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")

#: Shorter turns are no turns of people.
SHORTEST_TURN = timedelta(hours=1)


class Rotation(Strict):
    """People who are on call in turns, or the calendar that says who is.

    The first of `members` is on call from `start` at `handover` for `every`, then the second.
    Turns are counted on the zone's own clock: a hand-over at nine is at nine in summer too.
    With `hours`, nobody is on call outside them.
    """

    tz: Annotated[str, AfterValidator(known_zone)]
    members: tuple[str, ...] = ()
    start: date = date(2024, 1, 1)  # a Monday
    every: Duration = timedelta(days=7)
    handover: str = "09:00"
    calendar: str = Field(default="", max_length=2000)
    hours: Hours | None = None

    @field_validator("handover")
    @classmethod
    def _is_time(cls, text: str) -> str:
        _parse_time(text)
        return text

    @field_validator("every")
    @classmethod
    def _is_turn(cls, every: timedelta) -> timedelta:
        if every < SHORTEST_TURN:
            msg = phrase("a turn lasts an hour at least")
            raise ValueError(msg)
        if every % timedelta(minutes=1):
            msg = phrase("a turn lasts whole minutes")
            raise ValueError(msg)
        return every

    @model_validator(mode="after")
    def _says_who(self) -> Rotation:
        if bool(self.members) == bool(self.calendar):
            msg = phrase("give either members, who take turns, or a calendar, which says who is on")
            raise ValueError(msg)
        if len(set(self.members)) != len(self.members) and len(set(self.members)) == 1:
            msg = phrase("the members are all the same person; name them once")
            raise ValueError(msg)
        return self

    @property
    def handover_time(self) -> time:
        """The time of day at which turns change, on the zone's clock."""
        return _parse_time(self.handover)


def on_call_rotation(word: str) -> str | None:
    """Return the rotation in `on_call(rotation)`, or None where `word` is something else."""
    match = _ON_CALL.fullmatch(word.strip())
    return match.group(1) if match else None


def _parse_time(text: str) -> time:
    match = _TIME.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - one message for both
        return time(int(match[1]), int(match[2]))
    except ValueError as error:
        msg = phrase(
            "'%(text)s' is no time of day; write for example \"09:00\", in quotes", text=text
        )
        raise ValueError(msg) from error
