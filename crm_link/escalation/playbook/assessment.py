"""What people find out about a crisis: is it true, whose fault is it; it decides the playbook.

Asked when somebody acknowledges, and changed as facts come in. Until then the playbook is that
of the unknown claim: say that it is looked into, and look into it.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import cast, get_args

from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import InputError
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.playbooks import start_playbook
from crm_link.escalation.playbook.scct import Found, choose_playbook
from crm_link.escalation.playbook.withdrawals import withdraw_contradicted
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.playbook import ClaimWord, Cluster
from crm_link.escalation.signs_of_work import show_work


def found_in(incident: Incident) -> Found:
    """Return what an incident's assessment says; nothing is known before there is one."""
    kept = incident.assessment or {}
    return Found(
        claim=cast("ClaimWord", kept.get("claim", "unknown")),
        cluster=cast("Cluster | None", kept.get("cluster")),
        crisis_history=bool(kept.get("crisis_history", False)),
    )


def make_found(
    claim: str,
    cluster: str | None,
    protocol: EscalationProtocol,
    *,
    crisis_history: bool | None = None,
) -> Found:
    """Return an assessment as the protocol asks for it.

    Raises:
        InputError: An answer is none of the protocol's, or the cluster is missing.

    """
    asked = protocol.assessment
    if claim not in asked.claim:
        raise InputError(
            "the claim is none of %(claim)s: '%(claim2)s'",
            claim=", ".join(asked.claim),
            claim2=claim,
        )
    if cluster and cluster not in asked.cluster:
        raise InputError(
            "the cluster is none of %(cluster)s: '%(cluster2)s'",
            cluster=", ".join(asked.cluster),
            cluster2=cluster,
        )
    if not cluster and claim in {"true_claim", "partly"}:
        raise InputError(
            "say how responsible people hold the brand: what is done for a true "
            "claim follows from the cluster (%(cluster)s); unsure means the higher "
            "one",
            cluster=", ".join(asked.cluster),
        )
    history = crisis_history if asked.asks_history else bool(asked.crisis_history)
    return Found(
        claim=next(one for one in get_args(ClaimWord) if one == claim),
        cluster=next((one for one in get_args(Cluster) if one == cluster), None),
        crisis_history=bool(history),
    )


def assess(
    session: Session,
    incident_id: int,
    *,
    claim: str,
    cluster: str | None = None,
    crisis_history: bool | None = None,
    by: str,
    clock: Clock,
) -> Incident:
    """Say what was found; the playbook follows, and statements that contradict it are withdrawn.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It is resolved.
        InputError: An answer is none of the protocol's, or the cluster is missing.

    """
    incident = lock_unresolved(session, incident_id)
    protocol = pinned_protocol(session, incident)
    found = make_found(claim, cluster or None, protocol, crisis_history=crisis_history)
    take_assessment(session, incident, protocol, found, by=by, now=clock())
    session.flush()
    return incident


def take_assessment(
    session: Session,
    incident: Incident,
    protocol: EscalationProtocol,
    found: Found,
    *,
    by: str,
    now: datetime,
) -> None:
    """Store an assessment with everything that follows from it."""
    before = incident.playbook
    incident.assessment = asdict(found)
    incident.assessed_at, incident.assessed_by = now, by
    playbook = choose_playbook(found, protocol.playbooks)
    if playbook != before:
        start_playbook(session, incident, protocol, playbook, now=now)
    add_event(
        session,
        incident.id,
        "assessed",
        by,
        now,
        {**asdict(found), "counts_as": found.effective_cluster, "playbook": playbook},
    )
    withdraw_contradicted(session, incident, found, by=by, now=now)
    show_work(incident, protocol, now)


def begin_unassessed(
    session: Session, incident: Incident, protocol: EscalationProtocol, now: datetime
) -> None:
    """Start the playbook of the unknown claim, unless there is one already."""
    if incident.playbook is None and incident.is_about_mentions:
        name = choose_playbook(found_in(incident), protocol.playbooks)
        start_playbook(session, incident, protocol, name, now=now)
