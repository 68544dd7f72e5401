"""The tables of who may come in: users, their teams and their API keys."""

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
    __table_args__ = (Index("ix_user_account_subject", "subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)  # lower case
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_text(Role))
    password_hash: Mapped[str]  # argon2; empty where only single sign-on lets them in
    #: Who they are to the sign-on provider: its address and its name for them; None: nobody yet.
    subject: Mapped[str | None] = mapped_column(String(500))
    is_active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end all sessions
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    # Empty means what the browser says.
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")
    zone: Mapped[str] = mapped_column(String(60), default="", server_default="")


class Team(Base):
    """People who look after some brands. Who is in a team sees its brands only.

    Who is in no team sees every brand, and so do admins: they decide about teams.
    """

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime]


class TeamBrand(Base):
    """A brand that a team looks after."""

    __tablename__ = "team_brand"

    team_id: Mapped[int] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)


class TeamMember(Base):
    """A user who is in a team."""

    __tablename__ = "team_member"
    __table_args__ = (Index("ix_team_member_user", "user_id"),)

    team_id: Mapped[int] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)


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
