"""What a protocol's shape cannot say: names that must exist, steps that must be reachable."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from config.errors import InputError
from config.phrases import phrase
from config.plugins import plugin_names
from crm_link.escalation.channel import channel_names, make_channel
from crm_link.escalation.protocol import (
    DEFAULT_CHAIN,
    EVERYONE,
    LEVELS,
    ChannelAddress,
    EscalationProtocol,
    Level,
    deputy_role,
)
from crm_link.escalation.protocol_parts.lint_delivery import lint_delivery
from crm_link.escalation.protocol_parts.lint_playbook import lint_playbook
from crm_link.escalation.protocol_parts.on_call import on_call_rotation

#: Marks the name of an environment variable that holds the real address.
SECRET_MARK = "env:"  # noqa: S105 - a mark, not a secret

#: Where a problem is: keys and positions from the top of the file.
Place = tuple[int | str, ...]

#: Schemes of addresses that need no credentials; every other one carries a token.
_OPEN_SCHEMES = {"http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto"}
_SECRET_PARAMETER = re.compile(r"token|key|secret|pass|auth|sig", re.IGNORECASE)
_LONG_TOKEN = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[\w-]{16,}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a protocol, and where."""

    place: Place
    message: str


def lint(protocol: EscalationProtocol) -> list[Problem]:
    """Return everything that keeps the protocol from being obeyed as it stands."""
    return [
        *_contacts(protocol),
        *_drills(protocol),
        *_topics(protocol),
        *_severities(protocol),
        *_chains(protocol),
        *(Problem(place, message) for place, message in lint_delivery(protocol)),
        *(Problem(place, message) for place, message in lint_playbook(protocol)),
    ]


def resolve_address(to: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the address that `to` is or names.

    Raises:
        InputError: The environment variable that it names is not set.

    """
    if not to.startswith(SECRET_MARK):
        return to
    name = to.removeprefix(SECRET_MARK).strip()
    value = (os.environ if environment is None else environment).get(name, "")
    if not value:
        msg = phrase(
            "the environment variable %(name)s, which the protocol names, is not set", name=name
        )
        raise InputError(msg)
    return value


def check_channels(protocol: EscalationProtocol) -> list[str]:
    """Return what is wrong with the channels here and now: empty means all is well.

    Those of contacts and of drills. Looks at the environment and the channels' settings, and
    sends nothing.
    """
    problems: list[str] = []
    ways = [(f"contact {contact.id}", contact.channels) for contact in protocol.contacts]
    for whose, addresses in [*ways, ("drills", protocol.drills.channels)]:
        for position, address in enumerate(addresses):
            try:
                make_channel(address.plugin).check_address(resolve_address(address.to))
            except InputError as error:
                problems.append(
                    phrase(
                        "%(whose)s, channel %(number)s: %(error)s",
                        whose=whose,
                        number=position + 1,
                        error=error.said,
                    )
                )
    return problems


def _contacts(protocol: EscalationProtocol) -> Iterator[Problem]:
    ids = Counter(contact.id for contact in protocol.contacts)
    for position, contact in enumerate(protocol.contacts):
        place: Place = ("contacts", position)
        if ids[contact.id] > 1:
            yield Problem(
                (*place, "id"), phrase("there are two contacts '%(contact)s'", contact=contact.id)
            )
        if contact.deputy == contact.id:
            yield Problem(
                (*place, "deputy"),
                phrase("'%(contact)s' cannot be their own deputy", contact=contact.id),
            )
        elif contact.deputy is not None and contact.deputy not in ids:
            yield Problem(
                (*place, "deputy"),
                phrase("the deputy '%(deputy)s' is no contact here", deputy=contact.deputy),
            )
        for number, address in enumerate(contact.channels):
            yield from _address((*place, "channels", number), contact.id, address)


def _drills(protocol: EscalationProtocol) -> Iterator[Problem]:
    for number, address in enumerate(protocol.drills.channels):
        yield from _address(("drills", "channels", number), "the drills", address)


def _address(place: Place, whose: str, address: ChannelAddress) -> Iterator[Problem]:
    channels = channel_names()
    if address.plugin not in channels:
        known = ", ".join(channels)
        yield Problem(
            place,
            phrase(
                "there is no channel '%(kind)s'; known: %(known)s", kind=address.kind, known=known
            ),
        )
    if holds_secret(address.to):
        name = re.sub(r"[^A-Z0-9]+", "_", f"{whose}_{address.kind}".upper())
        yield Problem(
            place,
            phrase(
                "the address of %(whose)s's channel '%(kind)s' holds a secret: put it into an "
                "environment variable and write for example to: env:%(name)s",
                whose=whose,
                kind=address.kind,
                name=name,
            ),
        )


def holds_secret(to: str) -> bool:
    """Say whether an address carries credentials that do not belong into a file."""
    if to.startswith(SECRET_MARK) or "://" not in to:
        return False
    parts = urlsplit(to)
    return (
        parts.scheme.lower() not in _OPEN_SCHEMES
        or parts.password is not None
        or any(_SECRET_PARAMETER.search(name) for name, _ in parse_qsl(parts.query))
        or any(_LONG_TOKEN.fullmatch(part) for part in parts.path.split("/"))
    )


def _topics(protocol: EscalationProtocol) -> Iterator[Problem]:
    ids = Counter(topic.id for topic in protocol.topics)
    for position, topic in enumerate(protocol.topics):
        if ids[topic.id] > 1:
            yield Problem(
                ("topics", position, "id"),
                phrase("there are two topics '%(topic)s'", topic=topic.id),
            )
    for position, rule in enumerate(protocol.triage.flag):
        for name in rule.topics:
            if name not in ids:
                yield Problem(("triage", "flag", position, "topics"), _no_topic(name))


def _severities(protocol: EscalationProtocol) -> Iterator[Problem]:
    topics = {topic.id for topic in protocol.topics}
    platforms = plugin_names("listener.collectors")
    order = [LEVELS.index(severity.level) for severity in protocol.severity]
    if len(set(order)) != len(order):
        yield Problem(("severity",), phrase("a severity is there twice; give each level once"))
    elif order != sorted(order):
        yield Problem(
            ("severity",), phrase("severities must stand worst first: the first that matches wins")
        )
    for position, severity in enumerate(protocol.severity):
        for group, conditions in (("any", severity.any), ("all", severity.all)):
            for number, condition in enumerate(conditions):
                place: Place = ("severity", position, group, number)
                for name in sorted(condition.only_topics - topics):
                    yield Problem(place, _no_topic(name))
                for name in sorted(set(condition.source) - set(platforms)):
                    yield Problem(
                        place,
                        phrase(
                            "no platform is named '%(name)s'; known: %(platforms)s",
                            name=name,
                            platforms=", ".join(platforms),
                        ),
                    )


def _no_topic(name: str) -> str:
    return phrase(
        "'%(name)s' is no topic of this file: add it under 'topics' with its words", name=name
    )


def _chains(protocol: EscalationProtocol) -> Iterator[Problem]:
    levels = [severity.level for severity in protocol.severity]
    for name in protocol.escalation:
        if name != DEFAULT_CHAIN and name not in LEVELS:
            known = ", ".join((DEFAULT_CHAIN, *LEVELS))
            yield Problem(
                ("escalation", name),
                phrase("'%(name)s' is no severity; use one of %(known)s", name=name, known=known),
            )
    for level in levels:
        chain = protocol.escalation.get(level) or protocol.escalation.get(DEFAULT_CHAIN)
        if chain is None:
            yield Problem(
                ("escalation",),
                phrase(
                    "%(level)s has no chain, and there is no '%(chain)s'",
                    level=level,
                    chain=DEFAULT_CHAIN,
                ),
            )
        elif not any(step.is_for(level) for step in chain.steps):
            yield Problem(
                ("escalation",),
                phrase("no step of %(level)s's chain is for %(level)s", level=level),
            )
    yield from _steps(protocol, levels)


def _steps(protocol: EscalationProtocol, levels: list[Level]) -> Iterator[Problem]:
    roles = {contact.role for contact in protocol.contacts}
    for name, chain in protocol.escalation.items():
        served = {
            level
            for level in levels
            if name == level or (name == DEFAULT_CHAIN and level not in protocol.escalation)
        }
        if not served and name in (DEFAULT_CHAIN, *LEVELS):
            yield Problem(
                ("escalation", name), phrase("no severity uses the chain '%(name)s'", name=name)
            )
        for position, step in enumerate(chain.steps):
            place: Place = ("escalation", name, "steps", position)
            yield from _step_names(protocol, place, step.notify, roles)
            if served and not any(step.is_for(level) for level in served):
                only = ", ".join(step.only)
                yield Problem(
                    place,
                    phrase("this step is never reached: no severity here is %(only)s", only=only),
                )
            if position and step.after < chain.steps[position - 1].after:
                yield Problem(
                    place,
                    phrase(
                        "this step is due before the one above it; 'after' counts from the "
                        "beginning of the chain, so it must not fall"
                    ),
                )


def _step_names(
    protocol: EscalationProtocol, place: Place, notify: tuple[str, ...], roles: set[str]
) -> Iterator[Problem]:
    for word in notify:
        role = deputy_role(word)
        if word == EVERYONE or on_call_rotation(word) is not None:
            continue
        if (role or word) not in roles:
            yield Problem(
                place,
                phrase("nobody has the role '%(role)s': add a contact with it", role=role or word),
            )
        elif role is not None and not protocol.people([word]):
            yield Problem(place, phrase("nobody with the role '%(role)s' has a deputy", role=role))
