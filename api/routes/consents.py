"""Consent of contacts, and opt-outs of people and accounts."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api import privacy_actions as actions
from api.deps import CommunityManagerDep, SessionDep, get_user
from api.schemas.privacy import AccountIn, ConsentIn, ConsentOut, ConsentsOut, OptedOutOut
from crm_link.context import load_context
from crm_link.opt_outs import find_opt_out
from crm_link.refusals import list_consents

router = APIRouter(tags=["privacy"], dependencies=[Depends(get_user)])


@router.get("/contacts/{contact_id}/consents")
def read_consents(session: SessionDep, contact_id: int) -> ConsentsOut:
    """Return what a contact agreed to, oldest first, and whether they opted out."""
    return ConsentsOut(
        opted_out=find_opt_out(session, contact_id, load_context()) is not None,
        consents=[ConsentOut.model_validate(one) for one in list_consents(session, contact_id)],
    )


@router.post("/contacts/{contact_id}/consents", status_code=201)
def record_consent(actor: CommunityManagerDep, contact_id: int, body: ConsentIn) -> ConsentOut:
    """Record that a contact agreed to being linked on a platform, or on `any`."""
    consent = actions.record_consent(actor, contact_id, body.scope, body.note)
    return ConsentOut.model_validate(consent)


@router.post("/contacts/{contact_id}/consents/{consent_id}/revoke")
def revoke_consent(actor: CommunityManagerDep, contact_id: int, consent_id: int) -> ConsentOut:
    """Take a consent back: links that rest on it are withdrawn. Answers 409 the second time."""
    return ConsentOut.model_validate(actions.revoke_consent(actor, contact_id, consent_id))


@router.post("/contacts/{contact_id}/opt-out")
def opt_out(actor: CommunityManagerDep, contact_id: int) -> OptedOutOut:
    """Link a contact to nobody any more: links are withdrawn, our CRM fields cleared."""
    return OptedOutOut.model_validate(actions.opt_out_contact(actor, contact_id))


@router.post("/contacts/{contact_id}/opt-in", status_code=204)
def opt_in(actor: CommunityManagerDep, contact_id: int) -> None:
    """Take an opt-out back. Answers 404 if there is none."""
    actions.opt_in_contact(actor, contact_id)


@router.post("/opt-outs")
def opt_out_author(actor: CommunityManagerDep, body: AccountIn) -> OptedOutOut:
    """Link an account of a platform to nobody any more, also one that was not seen yet."""
    found = actions.opt_out_author(actor, body.platform, body.account)
    return OptedOutOut.model_validate(found)
