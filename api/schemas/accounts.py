"""Users and API keys, as the JSON API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.models import Role
from api.schemas.base import Out
from api.teams import TeamView


class UserOut(Out):
    """A person who may sign in."""

    id: int
    email: str
    name: str
    role: Role
    is_active: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class ApiKeyOut(Out):
    """An API key, without its secret."""

    id: int
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewApiKeyOut(ApiKeyOut):
    """A new API key; the secret is shown this once."""

    secret: str


class ApiKeyIn(BaseModel):
    """A key to make."""

    name: str = Field(min_length=1, max_length=100, examples=["weekly report"])


class UserIn(BaseModel):
    """A user to make."""

    email: str = Field(max_length=320, examples=["ana@example.org"])
    name: str = Field(default="", max_length=200)
    role: Role = Role.VIEWER
    password: str = Field(max_length=1000)


class UserChangeIn(BaseModel):
    """What to change of a user; what is left out stays."""

    role: Role | None = None
    is_active: bool | None = None
    password: str | None = Field(default=None, max_length=1000)


class TeamIn(BaseModel):
    """A team to make or change."""

    name: str = Field(min_length=1, max_length=100, examples=["Coffee"])
    brands: list[str] = Field(default=[], description="Keys of the brands it looks after.")
    members: list[int] = Field(default=[], description="Ids of the users in it.")


class TeamOut(TeamIn):
    """People who look after some brands, and see no others unless another team of theirs does."""

    id: int

    @classmethod
    def of(cls, team: TeamView) -> TeamOut:
        """Return what is told about a team."""
        return cls(
            id=team.id,
            name=team.name,
            brands=[brand.key for brand in team.brands],
            members=[user.id for user in team.members],
        )
