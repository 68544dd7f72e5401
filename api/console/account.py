"""One's own account: password and API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import actions, users
from api.console.page import PageDep
from api.deps import AnybodyDep
from api.pages import back_to
from api.users import MIN_PASSWORD

router = APIRouter(prefix="/account")


@router.get("")
def account(page: PageDep) -> Response:
    """Show one's own account."""
    return _account(page)


@router.post("/password")
def change_password(
    request: Request,
    actor: AnybodyDep,
    current: Annotated[str, Form(max_length=1000)],
    new: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Change one's own password; all other sessions end."""
    user = actions.change_own_password(actor, current=current, new=new)
    request.session["epoch"] = user.session_epoch
    return back_to(request, "/account", "Your password is changed; other sessions have ended.")


@router.post("/keys")
def make_key(
    page: PageDep, actor: AnybodyDep, name: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Make an API key, and show its secret this once."""
    _, secret = actions.create_api_key(actor, name)
    return _account(page, secret=secret)


@router.post("/keys/{key_id}/revoke")
def revoke_key(request: Request, actor: AnybodyDep, key_id: int) -> Response:
    """Make one of one's keys useless."""
    key = actions.revoke_api_key(actor, key_id)
    return back_to(request, "/account", f"The key {key.prefix}... is revoked.")


def _account(page: PageDep, *, secret: str = "") -> Response:
    keys = users.list_api_keys(page.session, page.user.id)
    return page.show("account.html", {"keys": keys, "secret": secret, "min_password": MIN_PASSWORD})
