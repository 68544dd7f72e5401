"""What would let people down although the protocol can be obeyed as it stands.

Rules of the field (PR and incident response), each with the name that `protocol lint` shows.
A running service obeys a file that has only such problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from config.durations import format_duration
from config.phrases import phrase
from crm_link.escalation.detection.severity_cover import covered_severities
from crm_link.escalation.protocol import (
    DEFAULT_CHAIN,
    EVERYONE,
    WAKING_LEVELS,
    EscalationProtocol,
    Severity,
    deputy_role,
)
from crm_link.escalation.protocol_parts.advice_said import Advice, Place, advise_on_saying

#: The last step of a chain must be within so many acknowledgement limits.
MOST_LIMITS = 3

#: Two people may be each other's deputies where there are no more.
SMALL_TEAM = 2

#: Channels that nobody reads as they come.
_SILENT_CHANNELS = frozenset({"log"})


def advise(protocol: EscalationProtocol, today: date) -> Iterator[Advice]:
    """Yield what would let people down, in the order of the file."""
    yield from _people(protocol)
    yield from _severities(protocol)
    yield from _chains(protocol)
    yield from advise_on_saying(protocol, today)


def _people(protocol: EscalationProtocol) -> Iterator[Advice]:
    asked = {
        deputy_role(word) or word
        for chain in protocol.escalation.values()
        for step in chain.steps
        for word in step.notify
        if word != EVERYONE
    }
    for roles in protocol.approvals.by_level().values():
        asked |= set(roles)
    for position, contact in enumerate(protocol.contacts):
        place: Place = ("contacts", position)
        holders = [one for one in protocol.contacts if one.role == contact.role]
        if contact.role in asked and not any(one.deputy for one in holders):
            yield (
                "role-deputy",
                place,
                phrase(
                    "the role '%(role)s' has no deputy: who is it when %(contact)s is away?",
                    role=contact.role,
                    contact=contact.id,
                ),
            )
        other = protocol.find_contact(contact.deputy or "")
        if (
            other is not None
            and other.deputy == contact.id
            and contact.id < other.id
            and len(protocol.contacts) > SMALL_TEAM
        ):
            message = phrase(
                "%(contact)s and %(other)s stand in for each other: when both are away, nobody "
                "does",
                contact=contact.id,
                other=other.id,
            )
            yield "deputy-loop", (*place, "deputy"), message
        if all(one.kind in _SILENT_CHANNELS for one in contact.channels):
            yield (
                "silent-channels",
                (*place, "channels"),
                phrase(
                    "%(contact)s has only the log: nobody is told; add push, sms, email or a chat",
                    contact=contact.id,
                ),
            )


def _severities(protocol: EscalationProtocol) -> Iterator[Advice]:
    has_holding = any(one.strategy == "holding" for one in protocol.playbooks.values())
    covered = covered_severities(protocol)
    for position, severity in enumerate(protocol.severity):
        place: Place = ("severity", position)
        level = severity.level
        if level in WAKING_LEVELS and severity.respects_quiet_hours:
            yield (
                "waking-quiet-hours",
                (*place, "quiet_hours"),
                phrase(
                    "%(level)s would wait for the end of people's quiet hours; write ignore",
                    level=level,
                ),
            )
        if level in WAKING_LEVELS and severity.ack_expires is None:
            yield (
                "ack-expires",
                place,
                (
                    phrase(
                        "an acknowledged %(level)s that nobody works on is never told again: set "
                        "ack_expires",
                        level=level,
                    )
                ),
            )
        if level in WAKING_LEVELS and severity.holding_statement is None and protocol.playbooks:
            yield (
                "no-clock",
                place,
                phrase("%(level)s has no holding_statement: by when is it said?", level=level),
            )
        if severity.holding_statement is not None and not has_holding:
            yield (
                "no-holding-statement",
                (*place, "holding_statement"),
                phrase("no playbook of this file holds: add playbooks.unknown with a statement"),
            )
        if severity.holding_statement is not None and severity.holding_statement < severity.ack:
            yield (
                "clock-before-ack",
                (*place, "holding_statement"),
                (
                    phrase(
                        "%(level)s's holding statement is due before anybody must have "
                        "acknowledged (%(ack)s)",
                        level=level,
                        ack=format_duration(severity.ack),
                    )
                ),
            )
        if level in covered:
            yield (
                "never-reached",
                place,
                (
                    phrase(
                        "%(level)s is never reached: every condition of it is a condition of "
                        "%(covered)s too, which is looked at first",
                        level=level,
                        covered=covered[level],
                    )
                ),
            )
        yield from _approvals(protocol, severity)


def _approvals(protocol: EscalationProtocol, severity: Severity) -> Iterator[Advice]:
    rule = protocol.approvals
    limit = severity.holding_statement
    if rule.roles_for(severity.level) and limit is not None and rule.max_wait >= limit:
        yield (
            "approval-too-slow",
            ("approvals", "max_wait"),
            (
                phrase(
                    "%(level)s's holding statement is due after %(limit)s, and an approval may "
                    "take %(max_wait)s",
                    level=severity.level,
                    limit=format_duration(limit),
                    max_wait=format_duration(rule.max_wait),
                )
            ),
        )


def _chains(protocol: EscalationProtocol) -> Iterator[Advice]:
    for severity in protocol.severity:
        name = severity.level if severity.level in protocol.escalation else DEFAULT_CHAIN
        chain = protocol.escalation.get(name)
        steps = [] if chain is None else list(enumerate(chain.steps))
        mine = [(number, step) for number, step in steps if step.is_for(severity.level)]
        if not mine:
            continue
        number, last = mine[-1]
        if last.after > MOST_LIMITS * severity.ack:
            yield (
                "step-timers",
                ("escalation", name, "steps", number),
                (
                    phrase(
                        "%(level)s's last step comes after %(after)s, later than %(limits)s times "
                        "its ack of %(ack)s",
                        level=severity.level,
                        after=format_duration(last.after),
                        limits=MOST_LIMITS,
                        ack=format_duration(severity.ack),
                    )
                ),
            )
        people = [one for one, _ in protocol.people(mine[0][1].notify)]
        if severity.level in WAKING_LEVELS and len(mine) == 1 and len(people) == 1:
            yield (
                "one-person",
                ("escalation", name),
                phrase(
                    "%(level)s is told to %(people)s alone: add a step",
                    level=severity.level,
                    people=people[0].id,
                ),
            )
