"""Teams: who looks after which brands, and so who sees which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.deps import Actor
from api.models import Team, TeamBrand, TeamMember, User
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.mentions import list_brands
from listener.models import Brand


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team with its brands and its members, by name."""

    id: int
    name: str
    brands: tuple[Brand, ...]
    members: tuple[User, ...]


def list_teams(session: Session) -> list[TeamView]:
    """Return all teams by name."""
    teams = session.scalars(select(Team).order_by(Team.name)).all()
    brands = session.execute(
        select(TeamBrand.team_id, Brand)
        .join(Brand, Brand.id == TeamBrand.brand_id)
        .order_by(Brand.name)
    ).all()
    members = session.execute(
        select(TeamMember.team_id, User)
        .join(User, User.id == TeamMember.user_id)
        .order_by(User.name)
    ).all()
    return [
        TeamView(
            team.id,
            team.name,
            tuple(brand for team_id, brand in brands if team_id == team.id),
            tuple(user for team_id, user in members if team_id == team.id),
        )
        for team in teams
    ]


def create_team(
    actor: Actor, name: str, *, brands: Sequence[str] = (), members: Sequence[int] = ()
) -> Team:
    """Create a team of users for the brands with these keys.

    Raises:
        ConflictError: There is a team of this name.
        NotFoundError: There is no such brand or user.
    """
    team = Team(name=_free_name(actor.session, name), created_at=actor.clock())
    actor.session.add(team)
    actor.session.flush()
    _fill(actor.session, team.id, brands, members)
    actor.record("team created", f"team {team.id}")
    return team


def change_team(
    actor: Actor, team_id: int, name: str, *, brands: Sequence[str], members: Sequence[int]
) -> Team:
    """Give a team another name, other brands and other members.

    Raises:
        ConflictError: Another team has this name.
        NotFoundError: There is no such team, brand or user.
    """
    team = _get_team(actor.session, team_id)
    team.name = _free_name(actor.session, name, besides=team_id)
    _empty(actor.session, team_id)
    _fill(actor.session, team_id, brands, members)
    actor.record("team changed", f"team {team_id}")
    return team


def delete_team(actor: Actor, team_id: int) -> None:
    """Dissolve a team; who was in no other sees every brand again."""
    team = _get_team(actor.session, team_id)
    _empty(actor.session, team_id)
    actor.session.delete(team)
    actor.record("team deleted", f"team {team_id}")


def teams_of(session: Session) -> dict[int, list[str]]:
    """Return the names of each user's teams."""
    found: dict[int, list[str]] = {}
    query = (
        select(TeamMember.user_id, Team.name)
        .join(Team, Team.id == TeamMember.team_id)
        .order_by(Team.name)
    )
    for user_id, name in session.execute(query):
        found.setdefault(user_id, []).append(name)
    return found


def _get_team(session: Session, team_id: int) -> Team:
    team = session.get(Team, team_id)
    if team is None:
        raise NotFoundError("there is no team %(team_id)s", team_id=team_id)
    return team


def _free_name(session: Session, name: str, *, besides: int | None = None) -> str:
    wanted = name.strip()
    if not wanted:
        raise InputError("a team needs a name")
    holder = session.scalar(select(Team.id).where(Team.name == wanted))
    if holder not in {None, besides}:
        raise ConflictError("there is a team '%(wanted)s' already", wanted=wanted)
    return wanted


def _fill(session: Session, team_id: int, keys: Iterable[str], user_ids: Iterable[int]) -> None:
    known = {brand.key: brand.id for brand in list_brands(session)}
    for key in dict.fromkeys(keys):
        if key not in known:
            raise NotFoundError("there is no brand '%(key)s'", key=key)
        session.add(TeamBrand(team_id=team_id, brand_id=known[key]))
    for user_id in dict.fromkeys(user_ids):
        if session.get(User, user_id) is None:
            raise NotFoundError("there is no user %(user_id)s", user_id=user_id)
        session.add(TeamMember(team_id=team_id, user_id=user_id))
    session.flush()


def _empty(session: Session, team_id: int) -> None:
    session.execute(delete(TeamBrand).where(TeamBrand.team_id == team_id))
    session.execute(delete(TeamMember).where(TeamMember.team_id == team_id))
