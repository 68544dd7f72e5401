"""Users whom the sign-on provider lets in: found again, taken over by address, or made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.models import Role, User
from api.sso import Identity
from api.users import audit, normal_email, set_role
from config.errors import ConflictError, PermissionDeniedError


def sign_in_identity(session: Session, identity: Identity, *, now: datetime) -> User:
    """Return the user of an identity; on the first sign-in they are made with the least role.

    Raises:
        PermissionDeniedError: The user is switched off, or the address is another identity's.
    """
    user = session.scalar(select(User).where(User.subject == identity.subject))
    user = user or _by_address(session, identity) or _make(session, identity, now)
    if not user.is_active:
        raise PermissionDeniedError("this account is switched off; ask an admin")
    if identity.role is not None and identity.role is not user.role:
        _follow_role(session, user, identity.role, now)
    user.last_sign_in_at = now
    audit(
        session,
        actor=user.email,
        action="signed in by single sign-on",
        subject=f"user {user.id}",
        now=now,
    )
    return user


def _by_address(session: Session, identity: Identity) -> User | None:
    user = session.scalar(select(User).where(User.email == normal_email(identity.email)))
    if user is None:
        return None
    if user.subject is not None:
        # An address that was given to another person must not lead into the account before.
        raise PermissionDeniedError("this address belongs to another account; ask an admin")
    user.subject = identity.subject
    return user


def _make(session: Session, identity: Identity, now: datetime) -> User:
    address = normal_email(identity.email)
    user = User(
        email=address,
        name=identity.name.strip() or address,
        role=Role.VIEWER,
        password_hash="",
        subject=identity.subject,
        is_active=True,
        created_at=now,
    )
    session.add(user)
    session.flush()
    audit(session, actor=address, action="user created", subject=f"user {user.id}", now=now)
    return user


def _follow_role(session: Session, user: User, role: Role, now: datetime) -> None:
    try:
        set_role(session, email=user.email, role=role)
    except ConflictError:
        return  # the last admin stays one, whatever the provider says
    audit(
        session,
        actor="single sign-on",
        action=f"role set to {role}",
        subject=f"user {user.id}",
        now=now,
    )
