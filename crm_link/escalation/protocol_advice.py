"""What would let people down although the protocol can be obeyed as it stands.

Rules of the field (PR and incident response), each with the name that `protocol lint` shows.
A running service obeys a file that has only such problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from config.durations import format_duration
from crm_link.escalation.protocol import (
    DEFAULT_CHAIN,
    EVERYONE,
    WAKING_LEVELS,
    EscalationProtocol,
    Severity,
    deputy_role,
)
from crm_link.escalation.protocol_statements import Statement
from crm_link.escalation.protocol_triage import ANY_LANGUAGE
from crm_link.escalation.scct import Found, choose_playbook
from crm_link.escalation.severity_cover import covered_severities

#: The last step of a chain must be within so many acknowledgement limits.
MOST_LIMITS = 3

#: How long before its end an approval is said to end.
SOON = timedelta(days=30)

#: Two people may be each other's deputies where there are no more.
SMALL_TEAM = 2

#: Channels that nobody reads as they come.
_SILENT_CHANNELS = frozenset({"log"})

Place = tuple[int | str, ...]

#: The rule's name, where it is broken, and how.
Advice = tuple[str, Place, str]


def advise(protocol: EscalationProtocol, today: date) -> Iterator[Advice]:
    """Yield what would let people down, in the order of the file."""
    yield from _people(protocol)
    yield from _severities(protocol)
    yield from _chains(protocol)
    yield from _playbooks(protocol)
    for key, statement in protocol.statements.items():
        yield from _statement(protocol, key, statement, today)
    yield from _drills(protocol, today)


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
                f"the role '{contact.role}' has no deputy: who is it when {contact.id} is away?",
            )
        other = protocol.find_contact(contact.deputy or "")
        if (
            other is not None
            and other.deputy == contact.id
            and contact.id < other.id
            and len(protocol.contacts) > SMALL_TEAM
        ):
            message = (
                f"{contact.id} and {other.id} stand in for each other: "
                "when both are away, nobody does"
            )
            yield "deputy-loop", (*place, "deputy"), message
        if all(one.kind in _SILENT_CHANNELS for one in contact.channels):
            yield (
                "silent-channels",
                (*place, "channels"),
                f"{contact.id} has only the log: nobody is told; add push, sms, email or a chat",
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
                f"{level} would wait for the end of people's quiet hours; write ignore",
            )
        if level in WAKING_LEVELS and severity.ack_expires is None:
            yield (
                "ack-expires",
                place,
                (
                    f"an acknowledged {level} that nobody works on is never told again: "
                    "set ack_expires"
                ),
            )
        if level in WAKING_LEVELS and severity.holding_statement is None and protocol.playbooks:
            yield "no-clock", place, f"{level} has no holding_statement: by when is it said?"
        if severity.holding_statement is not None and not has_holding:
            yield (
                "no-holding-statement",
                (*place, "holding_statement"),
                "no playbook of this file holds: add playbooks.unknown with a statement",
            )
        if severity.holding_statement is not None and severity.holding_statement < severity.ack:
            yield (
                "clock-before-ack",
                (*place, "holding_statement"),
                (
                    f"{level}'s holding statement is due before anybody must have acknowledged "
                    f"({format_duration(severity.ack)})"
                ),
            )
        if level in covered:
            yield (
                "never-reached",
                place,
                (
                    f"{level} is never reached: every condition of it is a condition of "
                    f"{covered[level]} too, which is looked at first"
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
                f"{severity.level}'s holding statement is due after {format_duration(limit)}, "
                f"and an approval may take {format_duration(rule.max_wait)}"
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
                    f"{severity.level}'s last step comes after {format_duration(last.after)}, "
                    f"later than {MOST_LIMITS} times its ack of {format_duration(severity.ack)}"
                ),
            )
        people = [one for one, _ in protocol.people(mine[0][1].notify)]
        if severity.level in WAKING_LEVELS and len(mine) == 1 and len(people) == 1:
            yield (
                "one-person",
                ("escalation", name),
                f"{severity.level} is told to {people[0].id} alone: add a step",
            )


def _playbooks(protocol: EscalationProtocol) -> Iterator[Advice]:
    if not protocol.playbooks:
        yield (
            "no-playbooks",
            (),
            "there are no playbooks: people are told, and nothing says what to do",
        )
        return
    for name, playbook in protocol.playbooks.items():
        if playbook.statement is None:
            yield (
                "playbook-statement",
                ("playbooks", name),
                f"the playbook '{name}' has no statement: what is said?",
            )
        if not playbook.tasks:
            yield "playbook-tasks", ("playbooks", name), f"the playbook '{name}' has no tasks"
    asked = protocol.assessment
    for claim in asked.claim:
        for cluster in asked.cluster if claim in {"true_claim", "partly"} else (None,):
            if choose_playbook(Found(claim, cluster), protocol.playbooks) is None:
                of = f" ({cluster})" if cluster else ""
                yield (
                    "missing-playbook",
                    ("playbooks",),
                    f"there is no playbook for the answer '{claim}'{of}",
                )


def _statement(
    protocol: EscalationProtocol, key: str, statement: Statement, today: date
) -> Iterator[Advice]:
    place: Place = ("statements", key)
    if statement.approved_by is None:
        yield (
            "statement-approved",
            place,
            f"'{key}' is approved by nobody: set approved_by, approved_on and expires",
        )
    elif statement.expires is not None and statement.expires <= today:
        yield (
            "statement-expired",
            (*place, "expires"),
            f"the approval of '{key}' has ended on {statement.expires}: have it approved again",
        )
    elif statement.expires is not None and statement.expires - today <= SOON:
        yield "statement-expires", (*place, "expires"), f"'{key}' ends on {statement.expires}"
    if statement.approved_on is not None and statement.approved_on > today:
        yield "statement-approved", (*place, "approved_on"), f"'{key}' is approved in the future"
    missing = sorted(_languages(protocol) - set(statement.text))
    if missing:
        yield (
            "statement-language",
            (*place, "text"),
            f"the brand is spoken of in {', '.join(missing)}, and '{key}' is not there in it",
        )


def _languages(protocol: EscalationProtocol) -> set[str]:
    """Return the languages that the file has words for: the brand is spoken of in them."""
    words = [rule.words for rule in protocol.triage.priorities.values()]
    words += [topic.words for topic in protocol.topics]
    return {language for one in words for language in one} - {ANY_LANGUAGE}


def _drills(protocol: EscalationProtocol, today: date) -> Iterator[Advice]:
    drills = protocol.drills
    if drills.last is None or "drills" not in protocol.model_fields_set:
        return
    due = drills.last + drills.every
    if due < today:
        yield (
            "drill-overdue",
            ("drills", "last"),
            f"the last drill was on {drills.last}: one was due on {due}",
        )
