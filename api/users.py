"""Users, their passwords and their API keys."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, sessionmaker

from api.models import ApiKey, AuditEvent, Role, User
from config.db import read_session
from config.errors import ConflictError, InputError, NotFoundError

#: Characters of a password; NIST SP 800-63B asks for at least 8, and for length over rules.
MIN_PASSWORD = 10
MAX_PASSWORD = 1000

#: Wrong passwords in a row before an account is locked, and for how long.
MAX_FAILURES = 10
LOCK = timedelta(minutes=15)

#: How often a key's last use is written: not for every request.
USE_RESOLUTION = timedelta(minutes=5)

KEY_PREFIX = "gsk_"

#: The user that the demo makes, in a database of its own; the domain is nobody's (RFC 2606).
DEMO_EMAIL = "demo@example.org"

_hasher = PasswordHasher()


@cache
def _dummy_hash() -> str:
    """Return what is verified against when there is no account, so that time does not tell."""
    return _hasher.hash(secrets.token_hex(16))


def create_user(
    session: Session, *, email: str, name: str, role: Role, password: str, now: datetime
) -> User:
    """Create a user.

    Raises:
        InputError: The address or the password cannot be used.
        ConflictError: There is a user with this address.
    """
    address = normal_email(email)
    if session.scalar(select(User.id).where(User.email == address)) is not None:
        raise ConflictError("there is a user with this e-mail address already")
    user = User(
        email=address,
        name=name.strip() or address,
        role=role,
        password_hash=hash_password(password),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def normal_email(email: str) -> str:
    """Return the address as it is stored: valid, in lower case."""
    try:
        return validate_email(
            email.strip(), check_deliverability=False, test_environment=True
        ).normalized.lower()
    except EmailNotValidError as error:
        raise InputError("this is no e-mail address: %(error)s", error=error) from error


def hash_password(password: str) -> str:
    """Return the argon2 hash of a password that is long enough."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InputError(
            "a password has %(min_password)s to %(max_password)s characters",
            min_password=MIN_PASSWORD,
            max_password=MAX_PASSWORD,
        )
    return _hasher.hash(password)


def sign_in(
    sessions: sessionmaker[Session], *, email: str, password: str, now: datetime
) -> User | None:
    """Return the user, or None where address or password is wrong or the account is locked.

    The hash takes a tenth of a second on purpose, so it is checked between two transactions:
    guesses at passwords must not hold up those who write.
    """
    address = email.strip().lower()
    with read_session(sessions) as session:
        known = session.scalar(select(User).where(User.email == address))
    digest = known.password_hash if known is not None and known.is_active else None
    is_right = _verify(digest or _dummy_hash(), password) and digest is not None
    is_outdated = is_right and digest is not None and _hasher.check_needs_rehash(digest)
    rehashed = _hasher.hash(password) if is_outdated else None
    with sessions.begin() as session:
        user = session.scalar(select(User).where(User.email == address).with_for_update())
        # Locked, switched off or given another password meanwhile: all say no.
        if user is None or not user.is_active or user.password_hash != digest:
            return None
        if user.locked_until is not None and user.locked_until > now:
            return None
        if not is_right:
            user.failed_sign_ins += 1
            if user.failed_sign_ins >= MAX_FAILURES:
                user.locked_until, user.failed_sign_ins = now + LOCK, 0
            return None
        user.failed_sign_ins, user.locked_until, user.last_sign_in_at = 0, None, now
        user.password_hash = rehashed or user.password_hash
        audit(session, actor=user.email, action="signed in", subject=f"user {user.id}", now=now)
    return user


def _verify(digest: str, password: str) -> bool:
    try:
        return _hasher.verify(digest, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def set_password(session: Session, *, email: str, password: str) -> User:
    """Set a user's password and end all their sessions."""
    user = get_user(session, email)
    user.password_hash = hash_password(password)
    user.session_epoch += 1
    user.failed_sign_ins, user.locked_until = 0, None
    return user


def change_own_password(session: Session, *, email: str, current: str, new: str) -> User:
    """Change a password by somebody who knows it; all sessions end.

    Raises:
        InputError: `current` is not the password, or `new` cannot be one.
    """
    user = get_user(session, email)
    if not _verify(user.password_hash, current):
        raise InputError("the current password is not right")
    return set_password(session, email=email, password=new)


def set_active(session: Session, *, email: str, is_active: bool) -> User:
    """Switch a user on or off; off ends all their sessions and keys.

    Raises:
        ConflictError: It is the last active admin.
    """
    user = get_user(session, email)
    if not is_active and user.role is Role.ADMIN:
        _keep_an_admin(session, user)
    user.is_active = is_active
    user.session_epoch += 1
    return user


def set_role(session: Session, *, email: str, role: Role) -> User:
    """Give a user another role.

    Raises:
        ConflictError: It is the last active admin.
    """
    user = get_user(session, email)
    if user.role is Role.ADMIN and role is not Role.ADMIN:
        _keep_an_admin(session, user)
    user.role = role
    return user


def _keep_an_admin(session: Session, user: User) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(User)
        .where(User.role == Role.ADMIN, User.is_active, User.id != user.id)
    )
    if not others:
        raise ConflictError("this is the last active admin; make another one first")


def get_user(session: Session, email: str) -> User:
    """Return the user with this address."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFoundError(
            "there is no user with this e-mail address; see `groundswell users list`"
        )
    return user


def list_users(session: Session) -> list[User]:
    """Return all users, by address."""
    return list(session.scalars(select(User).order_by(User.email)))


def create_api_key(session: Session, *, user: User, name: str, now: datetime) -> tuple[ApiKey, str]:
    """Create a key with the user's rights; the second value is shown once and never stored."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        user_id=user.id,
        name=name.strip() or "unnamed",
        prefix=secret[:12],
        digest=_digest(secret),
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key, secret


def revoke_api_key(session: Session, key_id: int, *, now: datetime) -> ApiKey:
    """Make a key useless."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFoundError("there is no API key %(key_id)s", key_id=key_id)
    key.revoked_at = key.revoked_at or now
    return key


def find_api_key(session: Session, secret: str) -> ApiKey | None:
    """Return the valid key with its user, None where there is none."""
    key = session.scalar(
        select(ApiKey)
        .options(joinedload(ApiKey.user))
        .where(ApiKey.digest == _digest(secret), ApiKey.revoked_at.is_(None))
    )
    return key if key is not None and key.user.is_active else None


def _digest(secret: str) -> str:
    # A random key of 256 bits needs no slow hash: it cannot be guessed.
    return hashlib.sha256(secret.encode()).hexdigest()


def audit(session: Session, *, actor: str, action: str, subject: str, now: datetime) -> None:
    """Write down what a person did."""
    session.add(AuditEvent(at=now, actor=actor, action=action, subject=subject))


def list_api_keys(session: Session, user_id: int) -> list[ApiKey]:
    """Return a user's keys, the newest first."""
    return list(
        session.scalars(select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id.desc()))
    )


def find_demo_user(session: Session) -> User | None:
    """Return the user that the demo lets everybody be."""
    return session.scalar(select(User).where(User.email == DEMO_EMAIL, User.is_active))
