"""What holds for a statement at every step: it contradicts nothing, and the incident records it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from config.errors import ConflictError
from crm_link.escalation.delivery.outbox import add_event
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.approval_rules import (
    missing_roles,
)
from crm_link.escalation.playbook.assessment import found_in
from crm_link.escalation.playbook.playbook_models import IncidentStatement
from crm_link.escalation.playbook.withdrawals import known_of
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.signs_of_work import show_work


def refuse_contradiction(
    session: Session,
    incident: Incident,
    strategy: str,
    claim_id: int | None,
    *,
    without: int | None = None,
) -> None:
    """Refuse what contradicts a verdict or another statement than `without`.

    Raises:
        ConflictError: It does; the message says what it contradicts.

    """
    known = known_of(session, incident.id, found_in(incident))
    reason = known.why_not(strategy, claim_id=claim_id, without=without)
    if reason is not None:
        raise ConflictError(reason)


def record_statement(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    statement: IncidentStatement,
    kind: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Write what was done with a statement into the incident's timeline: work was seen."""
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
