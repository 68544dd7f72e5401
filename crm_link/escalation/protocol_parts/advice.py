"""What would let people down although the protocol can be obeyed as it stands.

Rules of the field (PR and incident response), each with the name that `protocol lint` shows.
A running service obeys a file that has only such problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from config.durations import format_duration
from config.phrases import phrase
from crm_link.escalation.detection.severity_cover import covered_severities
from crm_link.escalation.playbook.scct import Found, choose_playbook
from crm_link.escalation.protocol import (
    DEFAULT_CHAIN,
    EVERYONE,
    WAKING_LEVELS,
    EscalationProtocol,
    Severity,
    deputy_role,
)
from crm_link.escalation.protocol_parts.statements import Statement
from crm_link.escalation.protocol_parts.triage import ANY_LANGUAGE

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


def _playbooks(protocol: EscalationProtocol) -> Iterator[Advice]:
    if not protocol.playbooks:
        yield (
            "no-playbooks",
            (),
            phrase("there are no playbooks: people are told, and nothing says what to do"),
        )
        return
    for name, playbook in protocol.playbooks.items():
        if playbook.statement is None:
            yield (
                "playbook-statement",
                ("playbooks", name),
                phrase("the playbook '%(name)s' has no statement: what is said?", name=name),
            )
        if not playbook.tasks:
            yield (
                "playbook-tasks",
                ("playbooks", name),
                phrase("the playbook '%(name)s' has no tasks", name=name),
            )
    asked = protocol.assessment
    for claim in asked.claim:
        for cluster in asked.cluster if claim in {"true_claim", "partly"} else (None,):
            if choose_playbook(Found(claim, cluster), protocol.playbooks) is None:
                missing = (
                    phrase(
                        "there is no playbook for the answer '%(claim)s' (%(cluster)s)",
                        claim=claim,
                        cluster=cluster,
                    )
                    if cluster
                    else phrase("there is no playbook for the answer '%(claim)s'", claim=claim)
                )
                yield "missing-playbook", ("playbooks",), missing


def _statement(
    protocol: EscalationProtocol, key: str, statement: Statement, today: date
) -> Iterator[Advice]:
    place: Place = ("statements", key)
    if statement.approved_by is None:
        yield (
            "statement-approved",
            place,
            phrase(
                "'%(key)s' is approved by nobody: set approved_by, approved_on and expires", key=key
            ),
        )
    elif statement.expires is not None and statement.expires <= today:
        yield (
            "statement-expired",
            (*place, "expires"),
            phrase(
                "the approval of '%(key)s' has ended on %(expires)s: have it approved again",
                key=key,
                expires=statement.expires,
            ),
        )
    elif statement.expires is not None and statement.expires - today <= SOON:
        yield (
            "statement-expires",
            (*place, "expires"),
            phrase("'%(key)s' ends on %(expires)s", key=key, expires=statement.expires),
        )
    if statement.approved_on is not None and statement.approved_on > today:
        yield (
            "statement-approved",
            (*place, "approved_on"),
            phrase("'%(key)s' is approved in the future", key=key),
        )
    missing = sorted(_languages(protocol) - set(statement.text))
    if missing:
        yield (
            "statement-language",
            (*place, "text"),
            phrase(
                "the brand is spoken of in %(missing)s, and '%(key)s' is not there in it",
                missing=", ".join(missing),
                key=key,
            ),
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
            phrase(
                "the last drill was on %(last)s: one was due on %(due)s", last=drills.last, due=due
            ),
        )
