"""What a person says about a claim: its verdict, with evidence and an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.delivery.outbox import add_event, pinned_protocol
from crm_link.escalation.locking import lock_unresolved
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.assessment import found_in, take_assessment
from crm_link.escalation.playbook.claims import join_claims
from crm_link.escalation.playbook.playbook_models import (
    ClaimMention,
    ClaimVerdict,
    IncidentClaim,
    IncidentStatement,
)
from crm_link.escalation.playbook.scct import Found
from crm_link.escalation.playbook.withdrawals import verdicts, withdraw_contradicted
from crm_link.escalation.protocol_parts.playbook import ClaimWord
from listener.models import Mention

MAX_EVIDENCE_CHARS = 5_000
MAX_TITLE_CHARS = 300


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with the post that says it best; `text` empty: that post is gone."""

    claim: IncidentClaim
    text: str
    url: str | None

    @property
    def title(self) -> str:
        """How it is called: a person's words, else its own."""
        return self.claim.title or ", ".join(self.claim.words.get("shown", [])) or "unnamed"


def list_claims(session: Session, incident_id: int) -> Sequence[ClaimView]:
    """Return an incident's claims, the biggest first; those that nobody makes any more last."""
    rows = session.execute(
        select(IncidentClaim, Mention.text, Mention.url, Mention.deleted_at)
        .outerjoin(Mention, Mention.id == IncidentClaim.mention_id)
        .where(IncidentClaim.incident_id == incident_id)
        .order_by(IncidentClaim.mentions.desc(), IncidentClaim.id)
    )
    return [
        ClaimView(claim, "" if deleted_at or text is None else text, url)
        for claim, text, url, deleted_at in rows
        if claim.mentions or claim.decided_at is not None
    ]


def decide_claim(
    session: Session,
    incident_id: int,
    claim_id: int,
    *,
    verdict: ClaimVerdict,
    evidence: str = "",
    owner: str = "",
    title: str = "",
    by: str,
    clock: Clock,
) -> IncidentClaim:
    """Say whether a claim is true, with the evidence; the playbook follows.

    Raises:
        NotFoundError: There is no such incident or claim.
        ConflictError: The incident is resolved.
        InputError: A verdict without evidence, or words that are too long.

    """
    incident = lock_unresolved(session, incident_id)
    claim = _get(session, incident_id, claim_id)
    words = evidence.strip()
    if verdict is not ClaimVerdict.UNKNOWN and not (words or claim.evidence):
        raise InputError(
            "say what the evidence is, as a link or in words: somebody will be asked for it"
        )
    if len(words) > MAX_EVIDENCE_CHARS or len(title) > MAX_TITLE_CHARS:
        raise InputError(
            "evidence has up to %(max_evidence_chars)s characters, a title %(max_title_chars)s",
            max_evidence_chars=f"{MAX_EVIDENCE_CHARS:,}",
            max_title_chars=MAX_TITLE_CHARS,
        )
    now = clock()
    before = claim.verdict if claim.decided_at else None
    claim.verdict = verdict
    claim.evidence = words or claim.evidence
    claim.owner = owner.strip() or claim.owner or by
    claim.title = title.strip() or claim.title
    claim.decided_at, claim.decided_by = now, by
    session.flush()
    detail = {
        "claim_id": claim_id,
        "title": claim.title or ", ".join(claim.words.get("shown", [])),
        "from": before.value if before else None,
        "to": verdict.value,
        "evidence": claim.evidence,
        "owner": claim.owner,
    }
    add_event(session, incident_id, "claim", by, now, detail)
    _follow(session, incident, by=by, clock=clock)
    return claim


def merge_claims(
    session: Session, incident_id: int, claim_id: int, into_id: int, *, by: str, clock: Clock
) -> IncidentClaim:
    """Say that two claims are one; the first is gone, its mentions are the other's.

    Raises:
        NotFoundError: There is no such incident or claim.
        ConflictError: The incident is resolved, or they are the same claim.

    """
    incident = lock_unresolved(session, incident_id)
    if claim_id == into_id:
        raise ConflictError("claim %(claim_id)s cannot be merged with itself", claim_id=claim_id)
    gone, into = _get(session, incident_id, claim_id), _get(session, incident_id, into_id)
    join_claims(session, incident_id, claim_id, into_id)
    session.execute(
        update(IncidentStatement)
        .where(IncidentStatement.claim_id == claim_id)
        .values(claim_id=into_id)
    )
    add_event(session, incident_id, "claims_merged", by, clock(), {"from": claim_id, "to": into_id})
    merged = [*into.words.get("merged", []), gone.words["weights"], *gone.words.get("merged", [])]
    into.words = {**into.words, "merged": merged}
    into.first_at = min(into.first_at, gone.first_at)
    into.last_at = max(into.last_at, gone.last_at)
    session.delete(gone)
    incident.claims_at = None  # who is sorting right now looks again
    session.flush()
    return into


def _get(session: Session, incident_id: int, claim_id: int) -> IncidentClaim:
    claim = session.get(IncidentClaim, claim_id)
    if claim is None or claim.incident_id != incident_id:
        raise NotFoundError(
            "incident %(incident_id)s has no claim %(claim_id)s",
            incident_id=incident_id,
            claim_id=claim_id,
        )
    return claim


def claims_of_mention(session: Session, mention_id: int) -> Sequence[IncidentClaim]:
    """Return the claims that a mention makes, in all incidents."""
    return session.scalars(
        select(IncidentClaim)
        .join(ClaimMention, ClaimMention.claim_id == IncidentClaim.id)
        .where(ClaimMention.mention_id == mention_id)
        .order_by(IncidentClaim.id)
    ).all()


def _follow(session: Session, incident: Incident, *, by: str, clock: Clock) -> None:
    """Let the crisis' assessment follow from its claims, unless a person's says more."""
    protocol = pinned_protocol(session, incident)
    found = _sum_up(found_in(incident), list(verdicts(session, incident.id).values()))
    if found == found_in(incident):
        withdraw_contradicted(session, incident, found, by=by, now=clock())
    else:
        take_assessment(session, incident, protocol, found, by=by, now=clock())


def _sum_up(found: Found, said: Sequence[ClaimWord]) -> Found:
    """Return what the claims together say about the crisis.

    All alike: that. Some true and some not: partly. One that nobody knows holds nothing up.
    A true crisis whose cluster nobody has assessed is taken as accidental until somebody does.
    """
    known = {one for one in said if one != "unknown"}
    if not known:
        return replace(found, claim="unknown")
    claim: ClaimWord = next(iter(known)) if len(known) == 1 else "partly"
    return replace(found, claim=claim)
