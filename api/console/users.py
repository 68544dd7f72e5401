"""Users: who may come in. For admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import actions, users
from api.console.page import PageDep
from api.deps import AdminDep, AdminUserDep
from api.language import gettext
from api.models import Role
from api.pages import back_to
from api.teams import teams_of

router = APIRouter(prefix="/users")


@router.get("")
def list_users(_admin: AdminUserDep, page: PageDep) -> Response:
    """List all users."""
    context = {
        "users": users.list_users(page.session),
        "roles": list(Role),
        "teams": teams_of(page.session),
    }
    return page.show("users.html", context)


@router.post("")
def make_user(
    request: Request,
    actor: AdminDep,
    email: Annotated[str, Form(max_length=320)],
    role: Annotated[Role, Form()],
    password: Annotated[str, Form(max_length=1000)],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Create a user."""
    user = actions.create_user(actor, email=email, name=name, role=role, password=password)
    return back_to(request, "/users", gettext("%(name)s may sign in now.", name=user.name))


@router.post("/{user_id}/role")
def set_role(
    request: Request, actor: AdminDep, user_id: int, role: Annotated[Role, Form()]
) -> Response:
    """Give a user another role."""
    user = actions.change_user(actor, user_id, role=role)
    return back_to(request, "/users", gettext("The role of %(name)s is saved.", name=user.name))


@router.post("/{user_id}/active")
def set_active(
    request: Request, actor: AdminDep, user_id: int, is_active: Annotated[bool, Form()]
) -> Response:
    """Switch a user on or off."""
    user = actions.change_user(actor, user_id, is_active=is_active)
    if is_active:
        said = gettext("%(name)s is switched on.", name=user.name)
    else:
        said = gettext("%(name)s is switched off.", name=user.name)
    return back_to(request, "/users", said)
