"""The protocol's statements, filled in for an incident. Pure, but for `offers`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.errors import InputError, NotFoundError
from config.language import zone_name
from crm_link.escalation.models import Incident
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.playbook import Strategy
from crm_link.escalation.protocol_parts.statements import (
    CHANNEL_CHARS,
    GIVEN_VARIABLES,
    Statement,
    variables_in,
    whole,
)

#: From here on the next update's time has its day.
LONG = timedelta(hours=12)

#: Longer values are no variables but texts of their own.
MAX_VALUE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A statement that may be said in an incident.

    Args:
        key: Its name in the protocol.
        statement: The protocol's own.
        strategy: Its own, or that of the playbook that says it.
        is_next: Whether the incident's playbook says it.
        is_approved: Whether its text is approved beforehand, today.
        texts: By language, the text with what is known filled in; what a person must give
            stands in braces.
        asks: The variables that a person must give, with what they mean.

    """

    key: str
    statement: Statement
    strategy: Strategy
    is_next: bool
    is_approved: bool
    texts: Mapping[str, str]
    asks: Mapping[str, str]

    @property
    def title(self) -> str:
        """How it is called."""
        return self.statement.title or self.key.replace("_", " ").capitalize()


def strategy_of(protocol: EscalationProtocol, key: str) -> Strategy:
    """Return what a statement does: as it says itself, or by the playbook that uses it."""
    statement = protocol.statements[key]
    if statement.strategy is not None:
        return statement.strategy
    used = (one.strategy for one in protocol.playbooks.values() if one.statement == key)
    return next(used, "inform")


def given_values(
    incident: Incident, brand_name: str, protocol: EscalationProtocol, now: datetime
) -> dict[str, str]:
    """Return the variables that need no person."""
    severity = protocol.find_severity(incident.severity)
    names = {topic.id: topic.name for topic in protocol.topics}
    zone = ZoneInfo(public_zone(protocol))
    values = {
        "brand": brand_name,
        "topic": names.get(incident.topic) or incident.topic.replace("_", " "),
        "date": now.astimezone(zone).strftime("%Y-%m-%d"),
    }
    if severity is not None and severity.updates is not None:
        due = (now + severity.updates).astimezone(zone)
        form = "%H:%M" if severity.updates < LONG else "%Y-%m-%d %H:%M"
        values["next_update"] = f"{due.strftime(form)} {zone_name(due)}"
    return values


def public_zone(protocol: EscalationProtocol) -> str:
    """Return the time zone in which statements name times to the public.

    It is the one of the business hours, else the one that all rotations have in common, else the
    one that all contacts have; else UTC.
    """
    hours = protocol.business_hours.tz if protocol.business_hours else None
    turns = {one.tz for one in protocol.on_call.values()}
    people = {one.tz for one in protocol.contacts}
    shared = (next(iter(zones)) for zones in (turns, people) if len(zones) == 1)
    return next(filter(None, (hours, *shared)), "UTC")


def offers(
    incident: Incident, brand_name: str, protocol: EscalationProtocol, now: datetime
) -> Sequence[Offer]:
    """Return the protocol's statements for an incident, the playbook's own first."""
    playbook = protocol.playbooks.get(incident.playbook or "")
    given = given_values(incident, brand_name, protocol, now)
    found = [
        Offer(
            key=key,
            statement=statement,
            strategy=strategy_of(protocol, key),
            is_next=playbook is not None and playbook.statement == key,
            is_approved=statement.is_approved(now.date()),
            texts={lang: _fill(whole(text), given) for lang, text in statement.text.items()},
            asks={
                name: statement.variables.get(name) or GIVEN_VARIABLES.get(name, "")
                for name in statement.variables_used()
                if name not in given
            },
        )
        for key, statement in protocol.statements.items()
    ]
    return sorted(found, key=lambda one: not one.is_next)


def render(protocol: EscalationProtocol, key: str, lang: str, values: Mapping[str, str]) -> str:
    """Return a statement's text with every variable filled in.

    Raises:
        NotFoundError: The protocol has no such statement, or not in this language.
        InputError: A variable is missing, empty, unknown or too long; or the text is too long
            for its channel.

    """
    statement = protocol.statements.get(key)
    if statement is None:
        known = ", ".join(protocol.statements) or "none"
        raise NotFoundError(
            "the protocol has no statement '%(key)s'; it has %(known)s", key=key, known=known
        )
    if lang not in statement.text:
        raise NotFoundError(
            "'%(key)s' is not there in '%(lang)s', only in %(text)s",
            key=key,
            lang=lang,
            text=", ".join(statement.text),
        )
    text = whole(statement.text[lang])
    used = list(dict.fromkeys(variables_in(text)))
    missing = [name for name in used if not values.get(name, "").strip()]
    if missing:
        raise InputError(
            "'%(key)s' cannot be filled in: say what %(missing)s is",
            key=key,
            missing=", ".join(missing),
        )
    unknown = sorted(set(values) - set(statement.variables_used()) - set(GIVEN_VARIABLES))
    if unknown:
        raise InputError(
            "'%(key)s' has no variable %(unknown)s; it has %(used)s",
            key=key,
            unknown=", ".join(unknown),
            used=", ".join(used) or "none",
        )
    long = [name for name in used if len(values[name]) > MAX_VALUE_CHARS]
    if long:
        raise InputError(
            "%(long)s: at most %(max_value_chars)s characters",
            long=", ".join(long),
            max_value_chars=f"{MAX_VALUE_CHARS:,}",
        )
    filled = _fill(text, {name: values[name].strip() for name in used})
    most = CHANNEL_CHARS.get(statement.channel)
    if most is not None and len(filled) > most:
        raise InputError(
            "'%(key)s' has %(filled)s characters now; %(channel)s takes %(most)s",
            key=key,
            filled=len(filled),
            channel=statement.channel,
            most=most,
        )
    return filled


_VARIABLE = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in; what is not there stays in braces."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group(0)[0]
        return values.get(name, match.group(0))

    return _VARIABLE.sub(value, text)
