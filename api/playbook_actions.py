"""What people do in an incident beyond its chain: the service, then the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from api.deps import Actor
from crm_link import mention_class
from crm_link.escalation import incidents
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook import (
    approvals,
    assessment,
    claim_verdicts,
    clocks,
    playbooks,
    statement_requests,
)
from crm_link.escalation.playbook.playbook_models import (
    ClaimVerdict,
    IncidentClaim,
    IncidentStatement,
    IncidentTask,
)
from crm_link.negative_class import NegativeClass


def assess(
    actor: Actor,
    incident_id: int,
    *,
    claim: str,
    cluster: str | None = None,
    crisis_history: bool | None = None,
) -> Incident:
    """Say what was found out about a crisis."""
    incident = assessment.assess(
        actor.session,
        incident_id,
        claim=claim,
        cluster=cluster,
        crisis_history=crisis_history,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record(f"incident assessed as {claim}", f"incident {incident_id}")
    return incident


def set_severity(actor: Actor, incident_id: int, *, severity: str, reason: str = "") -> Incident:
    """Make an incident more or less severe."""
    incident = incidents.set_severity(
        actor.session,
        incident_id,
        severity=severity,
        reason=reason,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record(f"severity set to {severity}", f"incident {incident_id}")
    return incident


def do_task(actor: Actor, incident_id: int, key: str, *, is_done: bool = True) -> IncidentTask:
    """Tick a task off, or take that back."""
    task = playbooks.do_task(
        actor.session, incident_id, key, by=actor.name, clock=actor.clock, is_done=is_done
    )
    actor.record(f"task {key} {'done' if is_done else 'undone'}", f"incident {incident_id}")
    return task


def say_elsewhere(actor: Actor, incident_id: int, where: str) -> Incident:
    """Take note that something was said in public."""
    incident = clocks.say_elsewhere(
        actor.session, incident_id, where=where, by=actor.name, clock=actor.clock
    )
    actor.record("said in public", f"incident {incident_id}")
    return incident


def decide_claim(
    actor: Actor,
    incident_id: int,
    claim_id: int,
    *,
    verdict: ClaimVerdict,
    evidence: str = "",
    owner: str = "",
    title: str = "",
) -> IncidentClaim:
    """Say whether a claim is true."""
    claim = claim_verdicts.decide_claim(
        actor.session,
        incident_id,
        claim_id,
        verdict=verdict,
        evidence=evidence,
        owner=owner,
        title=title,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record(f"claim {claim_id} found {verdict}", f"incident {incident_id}")
    return claim


def merge_claims(actor: Actor, incident_id: int, claim_id: int, into_id: int) -> IncidentClaim:
    """Say that two claims are one."""
    claim = claim_verdicts.merge_claims(
        actor.session, incident_id, claim_id, into_id, by=actor.name, clock=actor.clock
    )
    actor.record(f"claim {claim_id} merged into {into_id}", f"incident {incident_id}")
    return claim


def request_statement(
    actor: Actor,
    incident_id: int,
    key: str,
    *,
    lang: str,
    values: Mapping[str, str],
    text: str = "",
    claim_id: int | None = None,
) -> IncidentStatement:
    """Ask for a statement's approval."""
    statement = statement_requests.request_statement(
        actor.session,
        incident_id,
        key,
        lang=lang,
        values=values,
        text=text,
        claim_id=claim_id,
        by=actor.name,
        clock=actor.clock,
    )
    actor.record(f"statement {key} requested", f"statement {statement.id}")
    return statement


def approve_statement(actor: Actor, statement_id: int, *, role: str = "") -> IncidentStatement:
    """Approve a statement."""
    statement = approvals.approve_statement(
        actor.session, statement_id, role=role, by=actor.name, clock=actor.clock
    )
    actor.record("statement approved", f"statement {statement_id}")
    return statement


def reject_statement(actor: Actor, statement_id: int, *, reason: str) -> IncidentStatement:
    """Say that a statement must not go out."""
    statement = approvals.reject_statement(
        actor.session, statement_id, reason=reason, by=actor.name, clock=actor.clock
    )
    actor.record("statement rejected", f"statement {statement_id}")
    return statement


def withdraw_statement(actor: Actor, statement_id: int, *, reason: str = "") -> IncidentStatement:
    """Take a statement back that did not go out."""
    statement = approvals.withdraw_statement(
        actor.session, statement_id, reason=reason, by=actor.name, clock=actor.clock
    )
    actor.record("statement withdrawn", f"statement {statement_id}")
    return statement


def publish_statement(actor: Actor, statement_id: int, *, url: str = "") -> IncidentStatement:
    """Take note that a statement was published."""
    statement = approvals.publish_statement(
        actor.session, statement_id, url=url, by=actor.name, clock=actor.clock
    )
    actor.record("statement published", f"statement {statement_id}")
    return statement


def correct_class(actor: Actor, mention_id: int, kind: NegativeClass) -> NegativeClass:
    """Say what kind of negative mention one is."""
    mention_class.correct_class(actor.session, mention_id, kind, by=actor.name, clock=actor.clock)
    actor.record(f"class set to {kind}", f"mention {mention_id}")
    return kind
