"""What a contact agreed to, on the contact's own page; opt-outs there too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import privacy_actions as actions
from api.deps import CommunityManagerDep
from api.language import gettext
from api.pages import back_to

router = APIRouter(prefix="/people/{contact_id}")


@router.post("/consents")
def record(
    request: Request,
    actor: CommunityManagerDep,
    contact_id: int,
    scope: Annotated[str, Form(max_length=40)],
    note: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Record that the contact agreed to being linked."""
    actions.record_consent(actor, contact_id, scope, note)
    return _back(request, contact_id, gettext("The consent is recorded."))


@router.post("/consents/{consent_id}/revoke")
def revoke(
    request: Request, actor: CommunityManagerDep, contact_id: int, consent_id: int
) -> Response:
    """Take a consent back."""
    actions.revoke_consent(actor, contact_id, consent_id)
    notice = gettext("The consent is taken back; links that rest on it are withdrawn.")
    return _back(request, contact_id, notice)


@router.post("/opt-out")
def opt_out(request: Request, actor: CommunityManagerDep, contact_id: int) -> Response:
    """Link the contact to nobody any more."""
    actions.opt_out_contact(actor, contact_id)
    notice = gettext("Their links are withdrawn in a moment, and nobody is suggested again.")
    return _back(request, contact_id, notice)


@router.post("/opt-in")
def opt_in(request: Request, actor: CommunityManagerDep, contact_id: int) -> Response:
    """Take the opt-out back."""
    actions.opt_in_contact(actor, contact_id)
    return _back(request, contact_id, gettext("The opt-out is taken back."))


@router.post("/opt-out-account")
def opt_out_account(
    request: Request,
    actor: CommunityManagerDep,
    contact_id: int,
    platform: Annotated[str, Form(max_length=40)],
    account: Annotated[str, Form(max_length=200)],
) -> Response:
    """Link one account of theirs to nobody any more."""
    actions.opt_out_author(actor, platform, account)
    notice = gettext("The account's links are withdrawn in a moment; it is never linked again.")
    return _back(request, contact_id, notice)


def _back(request: Request, contact_id: int, notice: str) -> Response:
    return back_to(request, f"/people/{contact_id}#consent", notice)
