"""What is wrong with playbooks, statements, approvals and answers: names and contradictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from config.phrases import phrase
from crm_link.escalation.playbook.scct import is_opposed
from crm_link.escalation.playbook.statements import strategy_of
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.playbook import PLAYBOOKS, Playbook
from crm_link.escalation.protocol_parts.statements import (
    CERC_PARTS,
    CHANNEL_CHARS,
    GIVEN_VARIABLES,
    Statement,
    whole,
)

#: Where a problem is, and what it is.
Found = tuple[tuple[int | str, ...], str]


def lint_playbook(protocol: EscalationProtocol) -> Iterator[Found]:
    """Yield every problem of what is done and said in an incident."""
    for name, playbook in protocol.playbooks.items():
        yield from _playbook(protocol, name, playbook)
    for key, statement in protocol.statements.items():
        yield from _statement(protocol, key, statement)
    roles = {contact.role for contact in protocol.contacts}
    for level, needed in protocol.approvals.by_level().items():
        for role in needed:
            if role not in roles:
                yield ("approvals", level), _nobody(role)
    ids = Counter(one.id for one in protocol.faq)
    for position, one in enumerate(protocol.faq):
        if ids[one.id] > 1:
            yield ("faq", position, "id"), phrase("there are two answers '%(one)s'", one=one.id)
        if not any(one.questions.values()):
            yield (
                ("faq", position, "questions"),
                phrase("'%(one)s' needs a question to be found by", one=one.id),
            )


def _nobody(role: str) -> str:
    return phrase("nobody has the role '%(role)s': add a contact with it", role=role)


def _playbook(protocol: EscalationProtocol, name: str, playbook: Playbook) -> Iterator[Found]:
    place = ("playbooks", name)
    allowed = PLAYBOOKS.get(name)
    if allowed is None:
        yield (
            place,
            phrase(
                "'%(name)s' is no playbook; there are %(known)s",
                name=name,
                known=", ".join(PLAYBOOKS),
            ),
        )
    elif playbook.strategy not in allowed:
        yield (
            (*place, "strategy"),
            (
                phrase(
                    "'%(strategy)s' contradicts the claim of '%(name)s'; what fits is %(allowed)s",
                    strategy=playbook.strategy,
                    name=name,
                    allowed=", ".join(sorted(allowed)),
                )
            ),
        )
    if playbook.statement is not None and playbook.statement not in protocol.statements:
        known = ", ".join(protocol.statements) or "none"
        yield (
            (*place, "statement"),
            phrase(
                "there is no statement '%(statement)s'; known: %(known)s",
                statement=playbook.statement,
                known=known,
            ),
        )
    ids = Counter(task.id for task in playbook.tasks)
    who = {contact.role for contact in protocol.contacts} | {one.id for one in protocol.contacts}
    if playbook.owner and playbook.owner not in who:
        yield (*place, "owner"), _nobody(playbook.owner)
    for position, task in enumerate(playbook.tasks):
        where = (*place, "tasks", position)
        if ids[task.id] > 1:
            yield where, phrase("the task '%(task)s' is there twice", task=task.id)
        if task.owner and task.owner not in who:
            yield where, _nobody(task.owner)


def _statement(protocol: EscalationProtocol, key: str, statement: Statement) -> Iterator[Found]:
    place = ("statements", key)
    if statement.approved_by is not None and not _is_known(protocol, statement.approved_by):
        yield (*place, "approved_by"), _nobody(statement.approved_by)
    unknown = [
        name
        for name in statement.variables_used()
        if name not in statement.variables and name not in GIVEN_VARIABLES
    ]
    if unknown:
        given = ", ".join(GIVEN_VARIABLES)
        yield (
            place,
            (
                phrase(
                    "nobody says what {%(unknown)s} is: name it under variables, with what it "
                    "means; given are %(given)s",
                    unknown=unknown[0],
                    given=given,
                )
            ),
        )
    for name in statement.variables:
        if name not in statement.variables_used():
            yield (
                (*place, "variables", name),
                phrase("no text of '%(key)s' has the variable {%(name)s}", key=key, name=name),
            )
    yield from _parts(protocol, key, statement)
    most = CHANNEL_CHARS.get(statement.channel)
    for lang, text in statement.text.items():
        length = len(whole(text))
        if most is not None and length > most:
            yield (
                (*place, "text", lang),
                phrase(
                    "this has %(length)s characters, and %(channel)s takes %(most)s",
                    length=length,
                    channel=statement.channel,
                    most=most,
                ),
            )
    yield from _users(protocol, key, statement)


def _is_known(protocol: EscalationProtocol, who: str) -> bool:
    return any(who in {contact.role, contact.id} for contact in protocol.contacts)


def _parts(protocol: EscalationProtocol, key: str, statement: Statement) -> Iterator[Found]:
    """Yield what a first message lacks: a holding statement needs all six parts."""
    required = statement.requires
    if required is None:
        required = tuple(CERC_PARTS) if strategy_of(protocol, key) == "holding" else ()
    for lang, text in statement.text.items():
        there = text if isinstance(text, dict) else {}
        missing = [part for part in required if not there.get(part, "").strip()]
        if missing:
            meaning = "; ".join(f"{part}: {CERC_PARTS[part]}" for part in missing)
            yield (
                ("statements", key, "text", lang),
                phrase(
                    "this message lacks parts that a first message must have: %(meaning)s",
                    meaning=meaning,
                ),
            )


def _users(protocol: EscalationProtocol, key: str, statement: Statement) -> Iterator[Found]:
    """Yield where playbooks use one statement for what contradicts it or each other."""
    used = [(name, one) for name, one in protocol.playbooks.items() if one.statement == key]
    own = statement.strategy
    for name, playbook in used:
        first = own or used[0][1].strategy
        if is_opposed(first, playbook.strategy):
            yield (
                ("playbooks", name, "statement"),
                phrase(
                    "the statement '%(key)s' is to '%(first)s', which contradicts '%(strategy)s'",
                    key=key,
                    first=first,
                    strategy=playbook.strategy,
                ),
            )
