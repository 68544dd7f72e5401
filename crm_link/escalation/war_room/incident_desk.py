"""What people work with in an incident: assessment, playbook, clocks, claims, statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.approval_rules import (
    approver_words,
    may_approve,
    may_go,
    missing_roles,
)
from crm_link.escalation.playbook.assessment import found_in
from crm_link.escalation.playbook.claim_verdicts import ClaimView, list_claims
from crm_link.escalation.playbook.clocks import list_clocks
from crm_link.escalation.playbook.playbook_models import (
    IncidentClock,
    IncidentStatement,
    IncidentTask,
    StatementState,
)
from crm_link.escalation.playbook.playbooks import list_tasks
from crm_link.escalation.playbook.scct import Found
from crm_link.escalation.playbook.statements import Offer, offers
from crm_link.escalation.playbook.withdrawals import known_of
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.playbook import Playbook


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement on its way out, and what the reader may do with it.

    `approvers` says for each role that is missing whose answer counts.
    """

    statement: IncidentStatement
    missing: Sequence[str]
    approvers: Mapping[str, str]
    may_approve: bool
    may_go: bool


@dataclass(frozen=True, slots=True)
class OfferView:
    """A statement that may be asked for; `problem` says why it must not be said now."""

    offer: Offer
    problem: str | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What people work with in one incident."""

    protocol: EscalationProtocol
    found: Found
    playbook: Playbook | None
    tasks: Sequence[IncidentTask]
    clocks: Sequence[IncidentClock]
    claims: Sequence[ClaimView]
    statements: Sequence[StatementView]
    offers: Sequence[OfferView]

    @property
    def running(self) -> Sequence[IncidentClock]:
        """The clocks that run."""
        return [one for one in self.clocks if one.stopped_at is None]

    @property
    def done(self) -> int:
        """How many tasks are done."""
        return sum(one.done_at is not None for one in self.tasks)


def view_desk(session: Session, incident: Incident, *, reader: str, now: datetime) -> Desk | None:
    """Return what people work with; None: alerts about Groundswell itself have no playbook.

    Args:
        session: To read with.
        incident: The incident, with its brand.
        reader: Who looks: what they may approve depends on it.
        now: The present.

    """
    if not incident.is_about_mentions:
        return None
    protocol, found = pinned_protocol(session, incident), found_in(incident)
    known = known_of(session, incident.id, found)
    return Desk(
        protocol=protocol,
        found=found,
        playbook=protocol.playbooks.get(incident.playbook or ""),
        tasks=list_tasks(session, incident.id),
        clocks=list_clocks(session, incident.id),
        claims=list_claims(session, incident.id),
        statements=[_statement(protocol, one, reader, now) for one in known.statements],
        offers=[
            OfferView(offer, known.why_not(offer.strategy, claim_id=None))
            for offer in offers(incident, incident.brand.name, protocol, now)
        ],
    )


def _statement(
    protocol: EscalationProtocol, statement: IncidentStatement, reader: str, now: datetime
) -> StatementView:
    missing = missing_roles(statement)
    waits = statement.state is StatementState.REQUESTED
    return StatementView(
        statement=statement,
        missing=missing,
        approvers={role: approver_words(protocol, role) for role in missing},
        may_approve=waits and any(may_approve(protocol, statement, one, reader) for one in missing),
        may_go=may_go(statement, protocol, now),
    )
