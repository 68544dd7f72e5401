"""A statement's way out: requested, approved by those who must, published, or not.

The protocol names the roles for each severity. A role's approval is given by the people who
have it or stand in for them, where the file says who they are in the console (`known_as`); else by
any PR lead but the one who asked. Where nobody answers within `max_wait`, a text that was
approved beforehand may go, if the protocol says so. Nothing that contradicts a verdict or
another statement is requested, approved or published.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from config.phrases import joined, phrase
from crm_link.escalation.approval_rules import (
    ANOTHER_PERSON,
    approver_words,
    may_approve,
    may_go,
    missing_roles,
)
from crm_link.escalation.assessment import found_in
from crm_link.escalation.clocks import said
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident
from crm_link.escalation.outbox import add_event, pinned_protocol, tell
from crm_link.escalation.playbook_models import IncidentClaim, IncidentStatement, StatementState
from crm_link.escalation.playbooks import finish_publishing_tasks
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.signs_of_work import show_work
from crm_link.escalation.statements import given_values, render, strategy_of
from crm_link.escalation.withdrawals import ON_THEIR_WAY, why_not, withdraw

MAX_TEXT_CHARS = 10_000
MAX_REASON_CHARS = 2_000


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
    _refuse_contradiction(session, incident, strategy, claim_id)
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
    _record(session, incident, protocol, statement, "statement_requested", by=by, now=now)
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


def approve_statement(
    session: Session, statement_id: int, *, role: str = "", by: str, clock: Clock
) -> IncidentStatement:
    """Approve a statement for a role; `role` empty: for every role that `by` may answer for.

    Raises:
        NotFoundError: There is no such statement.
        ConflictError: It is not waiting, the role has approved, or it contradicts what is known.
        PermissionDeniedError: Somebody else must approve for this role.

    """
    statement, incident, protocol = _waiting(session, statement_id)
    missing = missing_roles(statement)
    if role and role not in missing:
        raise ConflictError(
            "statement %(statement_id)s waits for %(missing)s, and not for '%(role)s'",
            statement_id=statement_id,
            missing=", ".join(missing),
            role=role,
        )
    asked = [role] if role else missing
    mine = [one for one in asked if may_approve(protocol, statement, one, by)]
    if not mine:
        who = "; ".join(f"{one}: {approver_words(protocol, one)}" for one in asked)
        raise PermissionDeniedError(
            "%(by)s may not approve statement %(statement_id)s. It is for %(who)s",
            by=by,
            statement_id=statement_id,
            who=who,
        )
    _refuse_contradiction(
        session, incident, statement.strategy, statement.claim_id, without=statement_id
    )
    now = clock()
    given = [{"role": one, "by": by, "at": now.isoformat()} for one in mine]
    statement.approvals = [*statement.approvals, *given]
    if not missing_roles(statement):
        statement.state = StatementState.APPROVED
    _record(session, incident, protocol, statement, "statement_approved", by=by, now=now)
    session.flush()
    return statement


def reject_statement(
    session: Session, statement_id: int, *, reason: str, by: str, clock: Clock
) -> IncidentStatement:
    """Say that a statement must not go out, and why; whoever asked may change it and ask again.

    Raises:
        NotFoundError: There is no such statement.
        ConflictError: It is not on its way out.
        InputError: There is no reason.

    """
    statement, incident, protocol = _on_its_way(session, statement_id)
    if not reason.strip() or len(reason) > MAX_REASON_CHARS:
        raise InputError(
            "say in up to %(max_reason_chars)s characters why: who asked has to change it",
            max_reason_chars=f"{MAX_REASON_CHARS:,}",
        )
    now = clock()
    statement.state = StatementState.REJECTED
    statement.closed_at, statement.closed_by, statement.reason = now, by, reason.strip()
    _record(session, incident, protocol, statement, "statement_rejected", by=by, now=now)
    session.flush()
    return statement


def withdraw_statement(
    session: Session, statement_id: int, *, reason: str = "", by: str, clock: Clock
) -> IncidentStatement:
    """Take a statement back that did not go out.

    Raises:
        NotFoundError: There is no such statement.
        ConflictError: It is not on its way out.

    """
    statement, _, _ = _on_its_way(session, statement_id)
    withdraw(session, statement, by=by, reason=reason.strip() or "taken back", now=clock())
    session.flush()
    return statement


def publish_statement(
    session: Session, statement_id: int, *, url: str = "", by: str, clock: Clock
) -> IncidentStatement:
    """Take note that a statement was published, and where; its clocks and tasks are done.

    Raises:
        NotFoundError: There is no such statement.
        ConflictError: It may not go out: approvals are missing, or it contradicts what is known.

    """
    statement, incident, protocol = _on_its_way(session, statement_id)
    now = clock()
    if statement.state is StatementState.REQUESTED and not may_go(statement, protocol, now):
        missing = ", ".join(missing_roles(statement))
        if statement.may_go_at:
            raise ConflictError(
                "statement %(statement_id)s waits for the approval of %(missing)s, or %(time)s UTC",
                statement_id=statement_id,
                missing=missing,
                time=f"{statement.may_go_at:%H:%M}",
            )
        raise ConflictError(
            "statement %(statement_id)s waits for the approval of %(missing)s",
            statement_id=statement_id,
            missing=missing,
        )
    _refuse_contradiction(
        session, incident, statement.strategy, statement.claim_id, without=statement_id
    )
    statement.state = StatementState.PUBLISHED
    statement.closed_at, statement.closed_by, statement.url = now, by, url.strip()
    _record(session, incident, protocol, statement, "statement_published", by=by, now=now)
    said(session, incident, protocol, by=by, now=now)
    finish_publishing_tasks(session, incident.id, by=by, now=now)
    session.flush()
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


def _refuse_contradiction(
    session: Session,
    incident: Incident,
    strategy: str,
    claim_id: int | None,
    *,
    without: int | None = None,
) -> None:
    reason = why_not(
        session,
        incident.id,
        found_in(incident),
        strategy=strategy,
        claim_id=claim_id,
        without=without,
    )
    if reason is not None:
        raise ConflictError(reason)


def _on_its_way(
    session: Session, statement_id: int
) -> tuple[IncidentStatement, Incident, EscalationProtocol]:
    incident_id = session.scalar(
        select(IncidentStatement.incident_id).where(IncidentStatement.id == statement_id)
    )
    if incident_id is None:
        raise NotFoundError("there is no statement %(statement_id)s", statement_id=statement_id)
    incident = lock_unresolved(session, incident_id)
    statement = session.get_one(IncidentStatement, statement_id, populate_existing=True)
    if statement.state not in ON_THEIR_WAY:
        state, by = statement.state.value, statement.closed_by
        raise ConflictError(
            "statement %(statement_id)s is already %(state)s by %(by)s",
            statement_id=statement_id,
            state=state,
            by=by,
        )
    return statement, incident, pinned_protocol(session, incident)


def _waiting(
    session: Session, statement_id: int
) -> tuple[IncidentStatement, Incident, EscalationProtocol]:
    found = _on_its_way(session, statement_id)
    if found[0].state is not StatementState.REQUESTED:
        raise ConflictError(
            "statement %(statement_id)s is approved already", statement_id=statement_id
        )
    return found


def _record(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    statement: IncidentStatement,
    kind: str,
    *,
    by: str,
    now: datetime,
) -> None:
    detail = {
        "statement": statement.key,
        "statement_id": statement.id,
        "lang": statement.lang,
        "strategy": statement.strategy,
        "claim_id": statement.claim_id,
        "missing": missing_roles(statement),
        "reason": statement.reason,
        "url": statement.url,
    }
    add_event(session, incident.id, kind, by, now, detail)
    show_work(incident, protocol, now)
