"""The escalation chain as the protocol file says it: who is told, and after how long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Level, Strict
from crm_link.escalation.protocol_parts.hours import Hours

#: The chain of every severity that has none of its own.
DEFAULT_CHAIN = "default"

#: A step's word for all contacts of the file.
EVERYONE = "everyone"

_DEPUTY = re.compile(r"deputy\(\s*([\w-]+)\s*\)")


#: A step's words for the protocol's `business_hours`, and for all other hours.
BUSINESS, OUTSIDE_BUSINESS = "business", "outside_business"


class ChainStep(Strict):
    """Who is told, and how long after the round of the chain began.

    A step with `hours` that are not now waits for them; with `outside: skip` it is passed over.
    Severities that ignore quiet hours wait for no hours either.
    """

    notify: tuple[str, ...] = Field(min_length=1)
    after: Duration = timedelta()
    only: tuple[Level, ...] = ()
    hours: Literal["business", "outside_business"] | Hours | None = None
    outside: Literal["wait", "skip"] = "wait"
    all_must_ack: bool = False

    @model_validator(mode="after")
    def _has_zone(self) -> ChainStep:
        if isinstance(self.hours, Hours) and self.hours.tz is None:
            msg = phrase("say in which zone: hours: {week: mon-fri 09:00-18:00, tz: Europe/Madrid}")
            raise ValueError(msg)
        return self

    def is_for(self, level: str) -> bool:
        """Say whether the step is taken at this severity."""
        return not self.only or level in self.only


class Chain(Strict):
    """The steps that follow each other while nobody acknowledges, gone through `repeat` times."""

    repeat: int = Field(default=1, ge=1, le=20)
    steps: tuple[ChainStep, ...] = Field(min_length=1)


def deputy_role(word: str) -> str | None:
    """Return the role in `deputy(role)`, or None where `word` is something else."""
    match = _DEPUTY.fullmatch(word.strip())
    return match.group(1) if match else None
