"""Asking for a statement: filled in or in words of one's own, told to those who must approve it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import InputError, NotFoundError
from config.phrases import joined, phrase
from crm_link.escalation.delivery.outbox import pinned_protocol, tell
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.playbook.approval_rules import (
    ANOTHER_PERSON,
)
from crm_link.escalation.playbook.playbook_models import (
    IncidentClaim,
    IncidentStatement,
    StatementState,
)
from crm_link.escalation.playbook.statement_records import record_statement, refuse_contradiction
from crm_link.escalation.playbook.statements import given_values, render, strategy_of

MAX_TEXT_CHARS = 10_000


def request_statement(
    session: Session,
    incident_id: int,
    key: str,
    *,
    lang: str,
    values: Mapping[str, str] | None = None,
    text: str = "",
    claim_id: int | None = None,
    by: str,
    clock: Clock,
) -> IncidentStatement:
    """Fill a statement in and ask for the approvals that it needs.

    `values` are the variables that a person gives. `text` are words of one's own in its place:
    they were not approved beforehand. `claim_id` None: it is about the crisis as a whole.

    Raises:
        NotFoundError: There is no such incident, statement, language or claim.
        InputError: A variable is missing, or the text is empty or too long.
        ConflictError: The incident is resolved, or the statement contradicts what is known.

    """
    incident = lock_unresolved(session, incident_id)
    protocol = pinned_protocol(session, incident)
    now = clock()
    if claim_id is not None:
        _require_claim(session, incident_id, claim_id)
    session.refresh(incident, ["brand"])
    given = given_values(incident, incident.brand.name, protocol, now)
    words = _own_words(text) if text else render(protocol, key, lang, {**given, **(values or {})})
    if key not in protocol.statements:
        raise NotFoundError("the protocol has no statement '%(key)s'", key=key)
    strategy = strategy_of(protocol, key)
    refuse_contradiction(session, incident, strategy, claim_id)
    is_ready = not text and protocol.statements[key].is_approved(now.date())
    needs = list(protocol.approvals.roles_for(incident.severity))
    if not needs and not is_ready:
        needs = [ANOTHER_PERSON]
    goes_unanswered = is_ready and protocol.approvals.then == "pre_approved_text_may_go"
    statement = IncidentStatement(
        incident_id=incident_id,
        claim_id=claim_id,
        key=key,
        strategy=strategy,
        lang=lang,
        text=words,
        state=StatementState.REQUESTED if needs else StatementState.APPROVED,
        needs=needs,
        approvals=[],
        may_go_at=now + protocol.approvals.max_wait if needs and goes_unanswered else None,
        requested_at=now,
        requested_by=by,
        closed_at=None,
        closed_by=None,
    )
    session.add(statement)
    session.flush()
    record_statement(session, incident, protocol, statement, "statement_requested", by=by, now=now)
    people = protocol.people([role for role in needs if role != ANOTHER_PERSON])
    tag = f"approve{statement.id}"
    asked = phrase(
        "'%(statement)s' (%(lang)s) waits for your approval, asked for by %(who)s:",
        statement=key,
        lang=lang,
        who=by,
    )
    about = joined("\n\n", [asked, words])
    tell(session, incident, protocol, people, reason="approval", tag=tag, about=about, now=now)
    return statement


def _own_words(text: str) -> str:
    words = text.strip()
    if not words or len(words) > MAX_TEXT_CHARS:
        raise InputError(
            "a statement has 1 to %(max_text_chars)s characters",
            max_text_chars=f"{MAX_TEXT_CHARS:,}",
        )
    return words


def _require_claim(session: Session, incident_id: int, claim_id: int) -> None:
    claim = session.get(IncidentClaim, claim_id)
    if claim is None or claim.incident_id != incident_id:
        raise NotFoundError(
            "incident %(incident_id)s has no claim %(claim_id)s",
            incident_id=incident_id,
            claim_id=claim_id,
        )
