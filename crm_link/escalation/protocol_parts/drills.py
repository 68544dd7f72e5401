"""The parts of a protocol about being prepared and learning: drills, and the review afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from config.durations import Duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict
from crm_link.escalation.protocol_parts.contacts import ChannelAddress

#: Fields of a review that the report fills in by itself; all others are asked of a person.
WRITTEN_BY_ITSELF = (
    "timeline",
    "time_to_detect",
    "time_to_ack",
    "time_to_holding_statement",
    "time_to_first_reply",
    "time_to_resolve",
    "volume_peak",
    "rebound_days",
)

_FIELD = r"^[a-z][a-z0-9_]{0,59}$"

FieldName = Annotated[str, Field(pattern=_FIELD)]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = phrase("'%(name)s' is there twice", name=twice[0])
        raise ValueError(msg)
    return names


class Drills(Strict):
    """How often the team rehearses, where a drill's messages go, and how fast it should be.

    A drill tells nobody over any other channel than these; without any it tells the log only.
    """

    every: Duration = timedelta(days=90)
    last: date | None = None  # a drill that was held without Groundswell
    channels: tuple[ChannelAddress, ...] = (ChannelAddress(kind="log"),)
    detect_within: Duration = timedelta(minutes=15)
    resolve_within: Duration = timedelta(hours=4)


class After(Strict):
    """What is written down after an incident, and by when."""

    review_within: Duration = timedelta(days=5)
    fields: Annotated[tuple[FieldName, ...], AfterValidator(_each_once)] = (
        *WRITTEN_BY_ITSELF,
        "lessons",
    )

    def asked(self) -> Iterator[str]:
        """Give the fields that a person has to write."""
        return (name for name in self.fields if name not in WRITTEN_BY_ITSELF)
