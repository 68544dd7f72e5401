"""Who asks, and their own API keys."""

from __future__ import annotations

from fastapi import APIRouter

from api import actions, users
from api.deps import AnybodyDep, SessionDep, UserDep
from api.schemas.accounts import ApiKeyIn, ApiKeyOut, NewApiKeyOut, UserOut

router = APIRouter(tags=["account"])


@router.get("/me")
def read_me(user: UserDep) -> UserOut:
    """Return who asks."""
    return UserOut.model_validate(user)


@router.get("/keys")
def read_keys(session: SessionDep, user: UserDep) -> list[ApiKeyOut]:
    """List your own API keys, revoked ones too."""
    return [ApiKeyOut.model_validate(key) for key in users.list_api_keys(session, user.id)]


@router.post("/keys", status_code=201)
def make_key(actor: AnybodyDep, body: ApiKeyIn) -> NewApiKeyOut:
    """Make an API key with your rights; its secret is shown this once."""
    key, secret = actions.create_api_key(actor, body.name)
    return NewApiKeyOut(**ApiKeyOut.model_validate(key).model_dump(), secret=secret)


@router.post("/keys/{key_id}/revoke")
def revoke_key(actor: AnybodyDep, key_id: int) -> ApiKeyOut:
    """Make one of your keys useless."""
    return ApiKeyOut.model_validate(actions.revoke_api_key(actor, key_id))
