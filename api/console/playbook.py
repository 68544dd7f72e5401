"""What people do on an incident's page beyond its chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api import playbook_actions
from api.deps import CommunityManagerDep, PrLeadDep
from api.formats import words
from api.language import gettext
from api.pages import back_to
from config.errors import InputError
from crm_link.escalation.playbook.playbook_models import ClaimVerdict
from crm_link.negative_class import NegativeClass

router = APIRouter()

Line = Annotated[str, Form(max_length=2000)]
Name = Annotated[str, Form(max_length=320)]

#: Fields of the form that are a statement's variables begin so.
VALUE = "value."


@router.post("/incidents/{incident_id}/assessment")
def assess(
    request: Request,
    actor: PrLeadDep,
    incident_id: int,
    claim: Name,
    cluster: Name = "",
    *,
    crisis_history: Annotated[bool, Form()] = False,
) -> Response:
    """Say what was found out."""
    incident = playbook_actions.assess(
        actor, incident_id, claim=claim, cluster=cluster or None, crisis_history=crisis_history
    )
    if not incident.playbook:
        return _back(request, incident_id, gettext("Noted. There is no playbook for it."))
    said = gettext("Noted. The playbook is “%(name)s”.", name=words(incident.playbook))
    return _back(request, incident_id, said)


@router.post("/incidents/{incident_id}/severity")
def set_severity(
    request: Request, actor: PrLeadDep, incident_id: int, severity: Name, reason: Line = ""
) -> Response:
    """Make an incident more or less severe."""
    playbook_actions.set_severity(actor, incident_id, severity=severity, reason=reason)
    return _back(request, incident_id, gettext("It is %(severity)s now.", severity=severity))


@router.post("/incidents/{incident_id}/tasks/{key}/done")
def finish_task(
    request: Request, actor: CommunityManagerDep, incident_id: int, key: str
) -> Response:
    """Tick a task off."""
    playbook_actions.do_task(actor, incident_id, key)
    return _back(request, incident_id)


@router.post("/incidents/{incident_id}/tasks/{key}/undo")
def undo_task(request: Request, actor: CommunityManagerDep, incident_id: int, key: str) -> Response:
    """Take a tick back."""
    playbook_actions.do_task(actor, incident_id, key, is_done=False)
    return _back(request, incident_id)


@router.post("/incidents/{incident_id}/said")
def say_elsewhere(request: Request, actor: PrLeadDep, incident_id: int, where: Line) -> Response:
    """Take note that something was said that is no statement of the protocol."""
    playbook_actions.say_elsewhere(actor, incident_id, where)
    return _back(request, incident_id, gettext("Noted; the clock of the next update runs."))


@router.post("/incidents/{incident_id}/claims/{claim_id}/verdict")
def decide_claim(
    request: Request,
    actor: PrLeadDep,
    incident_id: int,
    claim_id: int,
    verdict: Annotated[ClaimVerdict, Form()],
    evidence: Annotated[str, Form(max_length=5000)] = "",
    owner: Name = "",
    title: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Say whether a claim is true."""
    playbook_actions.decide_claim(
        actor,
        incident_id,
        claim_id,
        verdict=verdict,
        evidence=evidence,
        owner=owner,
        title=title,
    )
    said = gettext("The verdict is in the timeline; the playbook follows.")
    return _back(request, incident_id, said)


@router.post("/incidents/{incident_id}/claims/{claim_id}/merge")
def merge_claims(
    request: Request,
    actor: PrLeadDep,
    incident_id: int,
    claim_id: int,
    into: Annotated[int, Form()],
) -> Response:
    """Say that two claims are one."""
    playbook_actions.merge_claims(actor, incident_id, claim_id, into)
    return _back(request, incident_id, gettext("The claims are one now."))


async def statement_values(request: Request) -> dict[str, str]:
    """Return the variables that a person has filled in: the form's fields `value.NAME`."""
    form = await request.form()
    return {
        name.removeprefix(VALUE): value
        for name, value in form.items()
        if name.startswith(VALUE) and isinstance(value, str) and value.strip()
    }


@router.post("/incidents/{incident_id}/statements")
def request_statement(
    request: Request,
    actor: PrLeadDep,
    values: Annotated[dict[str, str], Depends(statement_values)],
    incident_id: int,
    key: Name,
    lang: Name,
    text: Annotated[str, Form(max_length=10_000)] = "",
    claim_id: Name = "",
) -> Response:
    """Fill a statement in and ask for its approval."""
    if claim_id and not claim_id.isdecimal():
        raise InputError("'%(claim)s' is no claim", claim=claim_id)
    statement = playbook_actions.request_statement(
        actor,
        incident_id,
        key,
        lang=lang,
        values={} if text.strip() else values,
        text=text,
        claim_id=int(claim_id) if claim_id else None,
    )
    if not statement.needs:
        return _back(request, incident_id, gettext("It may be published."))
    waits = ", ".join(words(role) for role in statement.needs)
    return _back(request, incident_id, gettext("It waits for %(roles)s.", roles=waits))


@router.post("/incidents/{incident_id}/statements/{statement_id}/approve")
def approve_statement(
    request: Request, actor: PrLeadDep, incident_id: int, statement_id: int
) -> Response:
    """Approve a statement for every role that the reader answers for."""
    playbook_actions.approve_statement(actor, statement_id)
    return _back(request, incident_id, gettext("Approved."))


@router.post("/incidents/{incident_id}/statements/{statement_id}/reject")
def reject_statement(
    request: Request, actor: PrLeadDep, incident_id: int, statement_id: int, reason: Line
) -> Response:
    """Say that a statement must not go out."""
    playbook_actions.reject_statement(actor, statement_id, reason=reason)
    return _back(request, incident_id, gettext("Rejected; who asked for it sees why."))


@router.post("/incidents/{incident_id}/statements/{statement_id}/withdraw")
def withdraw_statement(
    request: Request, actor: PrLeadDep, incident_id: int, statement_id: int
) -> Response:
    """Take a statement back."""
    playbook_actions.withdraw_statement(actor, statement_id)
    return _back(request, incident_id, gettext("Withdrawn."))


@router.post("/incidents/{incident_id}/statements/{statement_id}/publish")
def publish_statement(
    request: Request, actor: PrLeadDep, incident_id: int, statement_id: int, url: Line = ""
) -> Response:
    """Take note that a statement was published."""
    playbook_actions.publish_statement(actor, statement_id, url=url)
    return _back(request, incident_id, gettext("Noted; the clock of the next update runs."))


@router.post("/mentions/{mention_id}/class")
def correct_class(
    request: Request,
    actor: CommunityManagerDep,
    mention_id: int,
    kind: Annotated[NegativeClass, Form()],
) -> Response:
    """Say what kind of negative mention it is."""
    playbook_actions.correct_class(actor, mention_id, kind)
    said = gettext("Its kind is “%(kind)s” now.", kind=words(kind))
    return back_to(request, f"/mentions/{mention_id}", said)


def _back(request: Request, incident_id: int, notice: str = "") -> Response:
    return back_to(request, f"/incidents/{incident_id}", notice)
