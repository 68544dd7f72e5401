"""Teams: which brands people look after, and see. For admins."""

from __future__ import annotations

from fastapi import APIRouter

from api import teams
from api.deps import AdminDep, AdminUserDep, SessionDep
from api.schemas.accounts import TeamIn, TeamOut

router = APIRouter(prefix="/teams", tags=["users"])


@router.get("")
def read_teams(_admin: AdminUserDep, session: SessionDep) -> list[TeamOut]:
    """List all teams, by name."""
    return [TeamOut.of(team) for team in teams.list_teams(session)]


@router.post("", status_code=201)
def make_team(actor: AdminDep, body: TeamIn) -> TeamOut:
    """Create a team. Answers 409 if there is one of this name."""
    team = teams.create_team(actor, body.name, brands=body.brands, members=body.members)
    return _read(actor, team.id)


@router.put("/{team_id}")
def change_team(actor: AdminDep, team_id: int, body: TeamIn) -> TeamOut:
    """Give a team another name, other brands and other members."""
    teams.change_team(actor, team_id, body.name, brands=body.brands, members=body.members)
    return _read(actor, team_id)


@router.delete("/{team_id}", status_code=204)
def delete_team(actor: AdminDep, team_id: int) -> None:
    """Dissolve a team; who was in no other sees every brand again."""
    teams.delete_team(actor, team_id)


def _read(actor: AdminDep, team_id: int) -> TeamOut:
    return next(TeamOut.of(one) for one in teams.list_teams(actor.session) if one.id == team_id)
