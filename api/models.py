"""The tables of who may come in: users and their API keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text


class Role(StrEnum):
    """What a user may do; each may do what the ones before it may."""

    VIEWER = "viewer"  # read
    COMMUNITY_MANAGER = "community_manager"  # work the queue, decide links
    PR_LEAD = "pr_lead"  # acknowledge, note and resolve incidents
    ADMIN = "admin"  # users, keys, sources


class User(Base):
    """A person who may sign in."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)  # lower case
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_text(Role))
    password_hash: Mapped[str]  # argon2
    is_active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end all sessions
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    # Empty means what the browser says.
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")
    zone: Mapped[str] = mapped_column(String(60), default="", server_default="")


class ApiKey(Base):
    """A key for programs; only its hash is stored."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(String(16))  # shown, so that people know which it is
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class AuditEvent(Base):
    """What a person did: append-only."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))  # kind and id, for example "mention 17"
