"""One's own account: password and API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import actions, users
from api.console.page import PageDep
from api.deps import AnybodyDep, UserDep
from api.language import LANGUAGES, gettext, is_zone, zones
from api.pages import back_to
from api.users import MIN_PASSWORD

router = APIRouter(prefix="/account")


@router.get("")
def account(page: PageDep) -> Response:
    """Show one's own account."""
    return _account(page)


@router.post("/reading")
def set_reading(
    request: Request,
    actor: AnybodyDep,
    language: Annotated[str, Form(max_length=10)] = "",
    zone: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Choose the language and the time zone that one reads in; empty follows the browser."""
    actions.set_reading(actor, language=language, zone=zone)
    return back_to(request, "/account", gettext("Language and time are saved."))


@router.post("/zone")
def tell_zone(
    request: Request, user: UserDep, zone: Annotated[str, Form(max_length=60)]
) -> Response:
    """Keep the browser's time zone for this session, for users who have not chosen one."""
    if is_zone(zone) and not user.zone:
        request.session["zone"] = zone
    return Response(status_code=204)


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
    return back_to(
        request, "/account", gettext("Your password is changed; other sessions have ended.")
    )


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
    return back_to(
        request, "/account", gettext("The key %(prefix)s... is revoked.", prefix=key.prefix)
    )


def _account(page: PageDep, *, secret: str = "") -> Response:
    keys = users.list_api_keys(page.session, page.user.id)
    context = {
        "keys": keys,
        "secret": secret,
        "min_password": MIN_PASSWORD,
        "languages": LANGUAGES,
        "zones": zones(),
    }
    return page.show("account.html", context)
