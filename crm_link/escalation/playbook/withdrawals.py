"""Taking statements back: because a verdict changed, or because the incident is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.phrases import phrase
from crm_link.escalation.delivery.outbox import add_event
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.playbook_models import (
    ClaimVerdict,
    IncidentClaim,
    IncidentStatement,
    StatementState,
)
from crm_link.escalation.playbook.scct import Found, Said, contradiction
from crm_link.escalation.protocol_parts.playbook import ClaimWord

#: Statements that may still go out.
ON_THEIR_WAY = (StatementState.REQUESTED, StatementState.APPROVED)

#: Statements that count as said.
STANDING = (*ON_THEIR_WAY, StatementState.PUBLISHED)


def list_statements(session: Session, incident_id: int) -> Sequence[IncidentStatement]:
    """Return an incident's statements in the order in which they were requested."""
    return session.scalars(
        select(IncidentStatement)
        .where(IncidentStatement.incident_id == incident_id)
        .order_by(IncidentStatement.id)
    ).all()


def verdicts(session: Session, incident_id: int) -> dict[int, ClaimWord]:
    """Return what people found about each of an incident's claims that they looked at."""
    rows = session.execute(
        select(IncidentClaim.id, IncidentClaim.verdict).where(
            IncidentClaim.incident_id == incident_id, IncidentClaim.decided_at.is_not(None)
        )
    )
    return {row.id: claim_word(row.verdict) for row in rows}


def claim_word(verdict: ClaimVerdict) -> ClaimWord:
    """Return a verdict as the assessment's word."""
    words: dict[ClaimVerdict, ClaimWord] = {
        ClaimVerdict.UNKNOWN: "unknown",
        ClaimVerdict.UNTRUE: "untrue",
        ClaimVerdict.PARTLY: "partly",
        ClaimVerdict.TRUE_CLAIM: "true_claim",
    }
    return words[verdict]


@dataclass(frozen=True, slots=True)
class Known:
    """What statements of an incident must not contradict.

    Args:
        found: The incident's assessment.
        verdicts: What people found about each claim, by its id.
        statements: All of the incident's statements.

    """

    found: Found
    verdicts: Mapping[int, ClaimWord]
    statements: Sequence[IncidentStatement]

    def why_not(
        self, strategy: str, *, claim_id: int | None, without: int | None = None
    ) -> str | None:
        """Return in words what a statement would contradict; None: nothing.

        Args:
            strategy: What the statement does.
            claim_id: The claim that it is about.
            without: A statement that does not count: itself.

        """
        standing = [
            Said(one.key, one.strategy, one.claim_id)
            for one in self.statements
            if one.state in STANDING and one.id != without
        ]
        return contradiction(strategy, claim_id, self.found, self.verdicts, standing)


def known_of(session: Session, incident_id: int, found: Found) -> Known:
    """Return what is known of an incident with this assessment."""
    return Known(found, verdicts(session, incident_id), list_statements(session, incident_id))


def withdraw_contradicted(
    session: Session, incident: Incident, found: Found, *, by: str, now: datetime
) -> None:
    """Take back what was not published yet and contradicts what is known now."""
    session.flush()
    known = known_of(session, incident.id, found)
    for one in known.statements:
        if one.state not in ON_THEIR_WAY:
            continue
        reason = known.why_not(one.strategy, claim_id=one.claim_id, without=one.id)
        if reason is not None:
            withdraw(session, one, by=by, reason=reason, now=now)
            session.flush()


def withdraw(
    session: Session, statement: IncidentStatement, *, by: str, reason: str, now: datetime
) -> None:
    """Take one statement back."""
    statement.state = StatementState.WITHDRAWN
    statement.closed_at, statement.closed_by, statement.reason = now, by, reason
    detail = {"statement": statement.key, "lang": statement.lang, "reason": reason}
    add_event(session, statement.incident_id, "statement_withdrawn", by, now, detail)


def withdraw_all(session: Session, incident_id: int, *, by: str, now: datetime) -> None:
    """Take back what was not published when the incident ended."""
    for one in list_statements(session, incident_id):
        if one.state in ON_THEIR_WAY:
            withdraw(session, one, by=by, reason=phrase("the incident is resolved"), now=now)
