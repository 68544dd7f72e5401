"""The shape of a brand's crisis protocol: who is told what, when, how, and at which counts.

`protocol_file` reads it from YAML and says what is wrong with it. The word *Protocol* is
Python's, so the class is `EscalationProtocol`. Keys that are not in these models are refused,
never ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from config.durations import Duration
from crm_link.escalation.protocol_triage import Routing, Topic, Triage

#: Severities, the worst first.
LEVELS = ("SEV-1", "SEV-2", "SEV-3", "SEV-4")

Level = Literal["SEV-1", "SEV-2", "SEV-3", "SEV-4"]

#: Severities that wake people: quiet hours do not hold for them unless the file says so.
WAKING_LEVELS = frozenset({"SEV-1", "SEV-2"})

#: The chain of every severity that has none of its own.
DEFAULT_CHAIN = "default"

#: A step's word for all contacts of the file.
EVERYONE = "everyone"

#: Kinds of channel as PR people name them; apprise carries all of these.
CHANNEL_ALIASES = dict.fromkeys(
    ("push", "sms", "email", "chat", "call", "slack", "teams"), "apprise"
)

_DEPUTY = re.compile(r"deputy\(\s*([\w-]+)\s*\)")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


class Strict(BaseModel):
    """A part of the file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"'{name}' is no time zone; write for example Europe/Madrid or UTC"
        raise ValueError(msg) from error
    return name


def _parse_hours(text: str) -> tuple[time, time]:
    match = _HOURS.fullmatch(text.strip())
    parts = [int(part) for part in match.groups()] if match else []
    ends: list[time] = []
    with suppress(ValueError, IndexError):
        ends = [time(parts[0], parts[1]), time(parts[2], parts[3])]
    if not ends:
        msg = f"'{text}' are no hours; write for example 22:00-07:00"
        raise ValueError(msg)
    begin, end = ends
    if begin == end:
        msg = f"'{text}' begins when it ends; leave the key out if there are no quiet hours"
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
    tz: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    quiet_hours: Annotated[str, AfterValidator(_known_hours)] | None = None
    channels: tuple[ChannelAddress, ...] = Field(min_length=1)

    def quiet_times(self) -> tuple[time, time] | None:
        """Return begin and end of the quiet hours on the contact's own clock, if any."""
        return _parse_hours(self.quiet_hours) if self.quiet_hours else None


class Condition(Strict):
    """Counts at which a severity is reached; all keys that are given must hold.

    `harm`, `topics` and `source` restrict what is counted. Without a threshold, one negative
    mention is enough. `index_gte` compares with the brand's or the topic's own ordinary days:
    see `sentiment.burst`.
    """

    index_gte: float | None = Field(default=None, ge=0.5, le=100)
    negatives_gte: int | None = Field(default=None, ge=1)
    negatives_per_hour_gte: float | None = Field(default=None, gt=0)
    negative_share_gte: float | None = Field(default=None, gt=0, le=1)
    mentions_gte: int | None = Field(default=None, ge=1)
    harm: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    window: Duration = timedelta(hours=1)

    @model_validator(mode="after")
    def _counts_something(self) -> Condition:
        if not self.model_fields_set - {"window"}:
            msg = "a condition needs at least one threshold, for example negatives_gte: 20"
            raise ValueError(msg)
        if self.index_gte is not None and self.source:
            msg = "index_gte goes with no source: the index is of all platforms"
            raise ValueError(msg)
        if not timedelta(minutes=1) <= self.window <= timedelta(days=7):
            msg = "window must lie between 1m and 7d"
            raise ValueError(msg)
        return self

    @property
    def only_topics(self) -> frozenset[str]:
        """The topics that are counted; empty means all."""
        return frozenset(self.harm) | frozenset(self.topics)

    @property
    def least_negatives(self) -> float:
        """How many negative mentions there must be at least for this to hold."""
        per_hour = (self.negatives_per_hour_gte or 0) * self.window.total_seconds() / 3600
        others = self.negative_share_gte or self.mentions_gte
        fewest = 0 if others and not self.negatives_gte and not per_hour else 1
        return max(self.negatives_gte or fewest, per_hour)

    @property
    def needs_totals(self) -> bool:
        """Whether mentions that are not negative count too."""
        return self.negative_share_gte is not None or self.mentions_gte is not None


class Severity(Strict):
    """One level: when it is reached, and how long people have."""

    level: Level
    any: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    ack: Duration
    ack_expires: Duration | None = None
    quiet_hours: Literal["respect", "ignore"] | None = None
    auto_resolve: Duration | None = None

    @model_validator(mode="after")
    def _is_reachable(self) -> Severity:
        if not self.any and not self.all:
            msg = f"{self.level} can never be reached: give it conditions under 'any' or 'all'"
            raise ValueError(msg)
        if self.auto_resolve is not None and self.level in WAKING_LEVELS:
            msg = f"{self.level} is resolved by a person only: remove auto_resolve"
            raise ValueError(msg)
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of both lists."""
        return self.any + self.all

    @property
    def respects_quiet_hours(self) -> bool:
        """Whether messages wait for the end of a contact's quiet hours."""
        if self.quiet_hours is None:
            return self.level not in WAKING_LEVELS
        return self.quiet_hours == "respect"


class Dedup(Strict):
    """What counts as the same alert, and when it is told again."""

    key: tuple[Literal["brand", "topic"], ...] = ("brand", "topic")
    quiet: Duration = timedelta(hours=24)
    again_factor: float = Field(default=2.0, gt=1)
    reopen_within: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _is_by_brand_and_topic(self) -> Dedup:
        if set(self.key) != {"brand", "topic"}:
            msg = "key must be [brand, topic]: there is one open incident for each"
            raise ValueError(msg)
        return self


class ChainStep(Strict):
    """Who is told, and how long after the round of the chain began."""

    notify: tuple[str, ...] = Field(min_length=1)
    after: Duration = timedelta()
    only: tuple[Level, ...] = ()

    def is_for(self, level: str) -> bool:
        """Say whether the step is taken at this severity."""
        return not self.only or level in self.only


class Chain(Strict):
    """The steps that follow each other while nobody acknowledges, gone through `repeat` times."""

    repeat: int = Field(default=1, ge=1, le=20)
    steps: tuple[ChainStep, ...] = Field(min_length=1)


class EscalationProtocol(Strict):
    """A brand's crisis protocol. `brand` empty: it serves every brand that names the file."""

    version: Literal[1]
    brand: str = ""
    contacts: tuple[ProtocolContact, ...] = Field(min_length=1)
    routing: Routing = Field(default_factory=Routing)
    triage: Triage = Field(default_factory=Triage)
    topics: tuple[Topic, ...] = ()
    severity: tuple[Severity, ...] = Field(min_length=1)
    dedup: Dedup = Field(default_factory=Dedup)
    escalation: dict[str, Chain] = Field(min_length=1)

    _source: str = PrivateAttr(default="")

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - pydantic's signature
        """Take the file's own words as the source where a reader passes them."""
        if isinstance(context, dict):
            self._source = str(context.get("source", ""))

    @property
    def source(self) -> str:
        """The YAML that this was read from, which an incident keeps as its snapshot."""
        return self._source or self.model_dump_json(exclude_unset=True)

    @property
    def digest(self) -> str:
        """The SHA-256 of the source, in hexadecimal."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def find_contact(self, contact_id: str) -> ProtocolContact | None:
        """Return the contact, or None."""
        return next((one for one in self.contacts if one.id == contact_id), None)

    def find_severity(self, level: str) -> Severity | None:
        """Return the severity of this level, or None where the file does not have it."""
        return next((one for one in self.severity if one.level == level), None)

    def chain_for(self, level: str) -> Chain:
        """Return the chain of a severity: its own, or the default one."""
        return self.escalation.get(level) or self.escalation[DEFAULT_CHAIN]

    def people(self, notify: Iterable[str]) -> list[tuple[ProtocolContact, str]]:
        """Return who is meant by a step's words, each once, with the role that they are told in."""
        found: dict[str, tuple[ProtocolContact, str]] = {}
        for word in notify:
            for contact in self._meant_by(word):
                found.setdefault(contact.id, (contact, word))
        return list(found.values())

    def _meant_by(self, word: str) -> Iterator[ProtocolContact]:
        if word == EVERYONE:
            yield from self.contacts
        elif (role := deputy_role(word)) is not None:
            for contact in self.contacts:
                deputy = contact.role == role and self.find_contact(contact.deputy or "")
                if deputy:
                    yield deputy
        else:
            yield from (contact for contact in self.contacts if contact.role == word)


def deputy_role(word: str) -> str | None:
    """Return the role in `deputy(role)`, or None where `word` is something else."""
    match = _DEPUTY.fullmatch(word.strip())
    return match.group(1) if match else None
