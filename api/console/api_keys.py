"""API keys of all users, for admins; everybody makes their own on the account page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from api import actions
from api.console.page import PageDep
from api.deps import AdminDep, AdminUserDep
from api.language import gettext
from api.models import ApiKey
from api.pages import back_to

router = APIRouter(prefix="/admin/keys")


@router.get("")
def list_keys(_admin: AdminUserDep, page: PageDep) -> Response:
    """List all keys, those that work first."""
    query = select(ApiKey).options(joinedload(ApiKey.user))
    keys = page.session.scalars(
        query.order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    ).all()
    return page.show("api_keys.html", {"keys": keys})


@router.post("/{key_id}/revoke")
def revoke(request: Request, actor: AdminDep, key_id: int) -> Response:
    """Make anybody's key useless."""
    key = actions.revoke_any_key(actor, key_id)
    said = gettext("The key %(prefix)s... is revoked.", prefix=key.prefix)
    return back_to(request, "/admin/keys", said)
