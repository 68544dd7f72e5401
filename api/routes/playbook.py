"""What is done and said in an incident: assessment, tasks, claims, statements."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from api import playbook_actions
from api.deps import CommunityManagerDep, PrLeadDep, SessionDep, StateDep, UserDep, get_user
from api.schemas.incidents import IncidentOut, ReasonIn
from api.schemas.playbook import (
    AnswerOut,
    ApproveIn,
    AssessmentIn,
    ByProtocolOut,
    ClaimOut,
    ClassIn,
    ClockOut,
    MergeIn,
    OfferOut,
    PlaybookOut,
    PublishIn,
    SaidIn,
    SeverityIn,
    StatementIn,
    StatementOut,
    StatementsOut,
    TaskOut,
    VerdictIn,
)
from config.errors import NotFoundError
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.incidents import get_incident
from crm_link.escalation.models import Incident
from crm_link.escalation.playbook.claim_verdicts import ClaimView, list_claims
from crm_link.escalation.playbook.clocks import list_clocks
from crm_link.escalation.playbook.playbooks import list_tasks
from crm_link.escalation.playbook.withdrawals import list_statements
from crm_link.escalation.war_room.incident_desk import view_desk
from crm_link.mention_class import by_protocol
from listener.models import Mention

router = APIRouter(tags=["playbook"], dependencies=[Depends(get_user)])


@router.get("/incidents/{incident_id}/playbook")
def read_playbook(session: SessionDep, incident_id: int) -> PlaybookOut:
    """Return what is done: the assessment, the tasks, the clocks."""
    return _playbook(session, get_incident(session, incident_id))


@router.post("/incidents/{incident_id}/assessment")
def assess(actor: PrLeadDep, incident_id: int, body: AssessmentIn) -> PlaybookOut:
    """Say what was found out; the playbook follows. Answers 409 if it is resolved."""
    incident = playbook_actions.assess(
        actor,
        incident_id,
        claim=body.claim,
        cluster=body.cluster,
        crisis_history=body.crisis_history,
    )
    return _playbook(actor.session, incident)


@router.post("/incidents/{incident_id}/severity")
def set_severity(actor: PrLeadDep, incident_id: int, body: SeverityIn) -> IncidentOut:
    """Make it more or less severe. Answers 409 if it is resolved or has this severity."""
    return IncidentOut.model_validate(
        playbook_actions.set_severity(
            actor, incident_id, severity=body.severity, reason=body.reason
        )
    )


@router.post("/incidents/{incident_id}/said")
def say_elsewhere(actor: PrLeadDep, incident_id: int, body: SaidIn) -> PlaybookOut:
    """Take note that something was said in public; the clock of the next update starts."""
    return _playbook(actor.session, playbook_actions.say_elsewhere(actor, incident_id, body.where))


@router.post("/incidents/{incident_id}/tasks/{key}/done")
def finish_task(actor: CommunityManagerDep, incident_id: int, key: str) -> TaskOut:
    """Tick a task off. Answers 409 if it is done already."""
    return TaskOut.model_validate(playbook_actions.do_task(actor, incident_id, key))


@router.post("/incidents/{incident_id}/tasks/{key}/undo")
def undo_task(actor: CommunityManagerDep, incident_id: int, key: str) -> TaskOut:
    """Take a tick back. Answers 409 if it is not done."""
    return TaskOut.model_validate(playbook_actions.do_task(actor, incident_id, key, is_done=False))


@router.get("/incidents/{incident_id}/claims")
def read_claims(session: SessionDep, incident_id: int) -> list[ClaimOut]:
    """Return what its mentions assert, the biggest claim first."""
    get_incident(session, incident_id)
    return [_claim(one) for one in list_claims(session, incident_id)]


@router.post("/incidents/{incident_id}/claims/{claim_id}/verdict")
def decide_claim(
    actor: PrLeadDep, incident_id: int, claim_id: int, body: VerdictIn
) -> list[ClaimOut]:
    """Say whether a claim is true, with evidence; the playbook follows."""
    playbook_actions.decide_claim(
        actor,
        incident_id,
        claim_id,
        verdict=body.verdict,
        evidence=body.evidence,
        owner=body.owner,
        title=body.title,
    )
    return [_claim(one) for one in list_claims(actor.session, incident_id)]


@router.post("/incidents/{incident_id}/claims/{claim_id}/merge")
def merge_claims(
    actor: PrLeadDep, incident_id: int, claim_id: int, body: MergeIn
) -> list[ClaimOut]:
    """Say that two claims are one."""
    playbook_actions.merge_claims(actor, incident_id, claim_id, body.into)
    return [_claim(one) for one in list_claims(actor.session, incident_id)]


@router.get("/incidents/{incident_id}/statements")
def read_statements(
    session: SessionDep, user: UserDep, state: StateDep, incident_id: int
) -> StatementsOut:
    """Return the statements on their way out, and those that may be asked for."""
    incident = get_incident(session, incident_id)
    desk = view_desk(session, incident, reader=user.email, now=state.clock())
    return StatementsOut(
        statements=[
            StatementOut.model_validate(one) for one in list_statements(session, incident_id)
        ],
        offers=[
            OfferOut(
                key=one.offer.key,
                title=one.offer.title,
                strategy=one.offer.strategy,
                is_next=one.offer.is_next,
                is_approved=one.offer.is_approved,
                texts=dict(one.offer.texts),
                asks=dict(one.offer.asks),
                problem=one.problem,
            )
            for one in (desk.offers if desk else ())
        ],
    )


@router.post("/incidents/{incident_id}/statements", status_code=201)
def request_statement(actor: PrLeadDep, incident_id: int, body: StatementIn) -> StatementOut:
    """Ask for a statement's approval. Answers 409 if it contradicts what is known."""
    return StatementOut.model_validate(
        playbook_actions.request_statement(
            actor,
            incident_id,
            body.key,
            lang=body.lang,
            values=body.values,
            text=body.text,
            claim_id=body.claim_id,
        )
    )


@router.post("/statements/{statement_id}/approve")
def approve_statement(actor: PrLeadDep, statement_id: int, body: ApproveIn) -> StatementOut:
    """Approve it. Answers 403 if somebody else must, 409 if it does not wait."""
    return StatementOut.model_validate(
        playbook_actions.approve_statement(actor, statement_id, role=body.role)
    )


@router.post("/statements/{statement_id}/reject")
def reject_statement(actor: PrLeadDep, statement_id: int, body: ReasonIn) -> StatementOut:
    """Say that it must not go out, and why."""
    return StatementOut.model_validate(
        playbook_actions.reject_statement(actor, statement_id, reason=body.reason)
    )


@router.post("/statements/{statement_id}/withdraw")
def withdraw_statement(actor: PrLeadDep, statement_id: int, body: ReasonIn) -> StatementOut:
    """Take it back."""
    return StatementOut.model_validate(
        playbook_actions.withdraw_statement(actor, statement_id, reason=body.reason)
    )


@router.post("/statements/{statement_id}/publish")
def publish_statement(actor: PrLeadDep, statement_id: int, body: PublishIn) -> StatementOut:
    """Take note that it was published. Answers 409 while approvals are missing."""
    return StatementOut.model_validate(
        playbook_actions.publish_statement(actor, statement_id, url=body.url)
    )


@router.get("/mentions/{mention_id}/protocol")
def read_by_protocol(session: SessionDep, mention_id: int) -> ByProtocolOut:
    """Return what the brand's protocol says to a mention: its class, route and an answer."""
    return _by_protocol(session, mention_id)


@router.post("/mentions/{mention_id}/class")
def correct_class(actor: CommunityManagerDep, mention_id: int, body: ClassIn) -> ByProtocolOut:
    """Say what kind of negative mention it is. Answers 409 if it is not negative."""
    playbook_actions.correct_class(actor, mention_id, body.kind)
    return _by_protocol(actor.session, mention_id)


def _by_protocol(session: Session, mention_id: int) -> ByProtocolOut:
    mention = session.get(Mention, mention_id)
    if mention is None:
        raise NotFoundError("there is no mention %(mention_id)s", mention_id=mention_id)
    found = by_protocol(session, mention)
    return ByProtocolOut(
        kind=found.kind,
        decided_by=found.decided_by,
        route=found.route,
        answer=None if found.answer is None else AnswerOut.model_validate(found.answer),
    )


def _playbook(session: Session, incident: Incident) -> PlaybookOut:
    protocol = pinned_protocol(session, incident)
    playbook = protocol.playbooks.get(incident.playbook or "")
    return PlaybookOut(
        playbook=incident.playbook,
        strategy=None if playbook is None else playbook.strategy,
        assessment=incident.assessment,
        assessed_at=incident.assessed_at,
        assessed_by=incident.assessed_by,
        tasks=[TaskOut.model_validate(one) for one in list_tasks(session, incident.id)],
        clocks=[ClockOut.model_validate(one) for one in list_clocks(session, incident.id)],
    )


def _claim(view: ClaimView) -> ClaimOut:
    claim = view.claim
    return ClaimOut(
        id=claim.id,
        title=view.title,
        text=view.text,
        url=view.url,
        mentions=claim.mentions,
        first_at=claim.first_at,
        last_at=claim.last_at,
        verdict=claim.verdict,
        evidence=claim.evidence,
        owner=claim.owner,
        decided_at=claim.decided_at,
        decided_by=claim.decided_by,
    )
