"""What would let people down of what a protocol says to do, to say and to rehearse.

The rules of `advice` about playbooks, statements and drills.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from config.phrases import phrase
from crm_link.escalation.playbook.scct import Found, choose_playbook
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.statements import Statement
from crm_link.escalation.protocol_parts.triage import ANY_LANGUAGE

#: How long before its end an approval is said to end.
SOON = timedelta(days=30)

Place = tuple[int | str, ...]

#: The rule's name, where it is broken, and how.
Advice = tuple[str, Place, str]


def advise_on_saying(protocol: EscalationProtocol, today: date) -> Iterator[Advice]:
    """Yield what is wrong with playbooks, statements and drills, in the order of the file."""
    yield from _playbooks(protocol)
    for key, statement in protocol.statements.items():
        yield from _statement(protocol, key, statement, today)
    yield from _drills(protocol, today)


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
