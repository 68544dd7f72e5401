"""The people of a crisis protocol, and the ways to them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import time
from typing import Annotated

from pydantic import AfterValidator, Field

from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict, known_language, known_zone
from crm_link.escalation.protocol_parts.hours import Hours

#: Kinds of channel as PR people name them; apprise carries all of these.
CHANNEL_ALIASES = dict.fromkeys(
    ("push", "sms", "email", "chat", "call", "slack", "teams"), "apprise"
)

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def _parse_hours(text: str) -> tuple[time, time]:
    match = _HOURS.fullmatch(text.strip())
    parts = [int(part) for part in match.groups()] if match else []
    ends: list[time] = []
    with suppress(ValueError, IndexError):
        ends = [time(parts[0], parts[1]), time(parts[2], parts[3])]
    if not ends:
        msg = phrase("'%(text)s' are no hours; write for example 22:00-07:00", text=text)
        raise ValueError(msg)
    begin, end = ends
    if begin == end:
        msg = phrase(
            "'%(text)s' begins when it ends; leave the key out if there are no quiet hours",
            text=text,
        )
        raise ValueError(msg)
    return begin, end


def _known_hours(text: str) -> str:
    _parse_hours(text)
    return text


class ChannelAddress(Strict):
    """One way to a contact. `to` may be a secret's name: `env:ANNA_PUSH`."""

    kind: str = Field(min_length=1, max_length=40)
    to: str = Field(default="", max_length=2000)

    @property
    def plugin(self) -> str:
        """The name of the channel plugin that carries it."""
        return CHANNEL_ALIASES.get(self.kind, self.kind)


class ProtocolContact(Strict):
    """A person who is told, with the ways to them in the order in which they are tried."""

    id: str = Field(pattern=r"^[\w.@-]{1,100}$")
    name: str = Field(default="", max_length=200)
    role: str = Field(pattern=r"^[\w-]{1,100}$")
    deputy: str | None = None
    tz: Annotated[str, AfterValidator(known_zone)] = "UTC"
    quiet_hours: Annotated[str, AfterValidator(_known_hours)] | None = None
    #: What they are told in: a language of the console; None: see `EscalationProtocol.language`.
    language: Annotated[str, AfterValidator(known_language)] | None = None
    #: When they work; outside, messages wait as in quiet hours.
    hours: Hours | None = None
    #: By what replies and sign-ins are known as theirs: `anna@example.org`, `slack:U024BE7LH`,
    #: `tel:+34600000001`, or a secret's name that holds one: `env:ANNA_PHONE`.
    known_as: tuple[str, ...] = ()
    channels: tuple[ChannelAddress, ...] = Field(min_length=1)

    def quiet_times(self) -> tuple[time, time] | None:
        """Return begin and end of the quiet hours on the contact's own clock, if any."""
        return _parse_hours(self.quiet_hours) if self.quiet_hours else None
