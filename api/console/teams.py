"""Teams: which brands people look after, and see. For admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import teams
from api.console.page import PageDep
from api.deps import AdminDep, AdminUserDep
from api.language import gettext
from api.pages import back_to
from api.users import list_users
from crm_link.mentions import list_brands

router = APIRouter(prefix="/admin/teams")

PATH = "/admin/teams"

Name = Annotated[str, Form(max_length=100)]
BrandKeys = Annotated[list[str] | None, Form(max_length=1000)]
UserIds = Annotated[list[int] | None, Form(max_length=1000)]


@router.get("")
def list_teams(_admin: AdminUserDep, page: PageDep) -> Response:
    """List the teams, each with a form."""
    context = {
        "teams": teams.list_teams(page.session),
        "brands": list_brands(page.session),
        "users": [user for user in list_users(page.session) if user.is_active],
    }
    return page.show("teams.html", context)


@router.post("")
def make_team(
    request: Request,
    actor: AdminDep,
    name: Name,
    brands: BrandKeys = None,
    members: UserIds = None,
) -> Response:
    """Create a team."""
    team = teams.create_team(actor, name, brands=brands or (), members=members or ())
    return back_to(request, PATH, gettext("The team %(name)s is there.", name=team.name))


@router.post("/{team_id}")
def change_team(
    request: Request,
    actor: AdminDep,
    team_id: int,
    name: Name,
    brands: BrandKeys = None,
    members: UserIds = None,
) -> Response:
    """Change a team."""
    team = teams.change_team(actor, team_id, name, brands=brands or (), members=members or ())
    return back_to(request, PATH, gettext("The team %(name)s is saved.", name=team.name))


@router.post("/{team_id}/delete")
def delete_team(request: Request, actor: AdminDep, team_id: int) -> Response:
    """Dissolve a team."""
    teams.delete_team(actor, team_id)
    return back_to(request, PATH, gettext("The team is dissolved."))
