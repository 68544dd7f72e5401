"""Users: who may come in. For admins."""

from __future__ import annotations

from fastapi import APIRouter

from api import actions, users
from api.deps import AdminDep, AdminUserDep, SessionDep
from api.schemas.accounts import UserChangeIn, UserIn, UserOut

router = APIRouter(prefix="/users", tags=["users"])


@router.get("")
def read_users(_admin: AdminUserDep, session: SessionDep) -> list[UserOut]:
    """List all users, by address."""
    return [UserOut.model_validate(user) for user in users.list_users(session)]


@router.post("", status_code=201)
def make_user(actor: AdminDep, body: UserIn) -> UserOut:
    """Create a user. Answers 409 if there is one with this address."""
    user = actions.create_user(
        actor, email=body.email, name=body.name, role=body.role, password=body.password
    )
    return UserOut.model_validate(user)


@router.patch("/{user_id}")
def change_user(actor: AdminDep, user_id: int, body: UserChangeIn) -> UserOut:
    """Change role, password or access. Answers 409 for the last active admin."""
    user = actions.change_user(
        actor, user_id, role=body.role, is_active=body.is_active, password=body.password
    )
    return UserOut.model_validate(user)
