"""A statement's way out: approved by those who must, published, or not.

The protocol names the roles for each severity. A role's approval is given by the people who
have it or stand in for them, where the file says who they are in the console (`known_as`); else by
any PR lead but the one who asked. Where nobody answers within `max_wait`, a text that was
approved beforehand may go, if the protocol says so. Nothing that contradicts a verdict or
another statement is requested, approved or published.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from config.phrases import Moment
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.approval_rules import (
    approver_words,
    may_approve,
    may_go,
    missing_roles,
)
from crm_link.escalation.playbook.clocks import said
from crm_link.escalation.playbook.playbook_models import IncidentStatement, StatementState
from crm_link.escalation.playbook.playbooks import finish_publishing_tasks
from crm_link.escalation.playbook.statement_records import record_statement, refuse_contradiction
from crm_link.escalation.playbook.withdrawals import ON_THEIR_WAY, withdraw
from crm_link.escalation.protocol import EscalationProtocol

MAX_REASON_CHARS = 2_000


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
    refuse_contradiction(
        session, incident, statement.strategy, statement.claim_id, without=statement_id
    )
    now = clock()
    given = [{"role": one, "by": by, "at": now.isoformat()} for one in mine]
    statement.approvals = [*statement.approvals, *given]
    if not missing_roles(statement):
        statement.state = StatementState.APPROVED
    record_statement(session, incident, protocol, statement, "statement_approved", by=by, now=now)
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
    record_statement(session, incident, protocol, statement, "statement_rejected", by=by, now=now)
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
                "statement %(statement_id)s waits for the approval of %(missing)s, or until "
                "%(time)s",
                statement_id=statement_id,
                missing=missing,
                time=Moment(statement.may_go_at),
            )
        raise ConflictError(
            "statement %(statement_id)s waits for the approval of %(missing)s",
            statement_id=statement_id,
            missing=missing,
        )
    refuse_contradiction(
        session, incident, statement.strategy, statement.claim_id, without=statement_id
    )
    statement.state = StatementState.PUBLISHED
    statement.closed_at, statement.closed_by, statement.url = now, by, url.strip()
    record_statement(session, incident, protocol, statement, "statement_published", by=by, now=now)
    said(session, incident, protocol, by=by, now=now)
    finish_publishing_tasks(session, incident.id, by=by, now=now)
    session.flush()
    return statement


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
