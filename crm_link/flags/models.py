"""The tables of work on flags: what was done, people's words on priority, views, who looks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, enum_text
from crm_link.types import Priority


class FlagEvent(Base):
    """What a person did to a flag: who, when, and what it was before.

    Those of one action share their `batch`, so that they are undone as one. `before` and `after`
    hold what changed; `version` is the flag's afterwards.
    """

    __tablename__ = "flag_event"
    __table_args__ = (
        Index("ix_flag_event_mention", "mention_id", "id"),
        Index("ix_flag_event_batch", "batch"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    batch: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(320))  # a user's e-mail
    action: Mapped[str] = mapped_column(String(20))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    version: Mapped[int]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(320))


class MentionPriority(Base):
    """The priority that a person gave a mention: it wins over the rules."""

    __tablename__ = "mention_priority"

    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True
    )
    priority: Mapped[Priority] = mapped_column(enum_text(Priority))
    by: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]


class QueueView(Base):
    """Filters of the queue under a name, of one user or shared with all.

    `filters` is the address's query. `is_default` is what its owner's queue begins with.
    """

    __tablename__ = "queue_view"
    __table_args__ = (UniqueConstraint("owner", "name"), Index("ix_queue_view_shared", "is_shared"))

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(320))  # a user's e-mail
    name: Mapped[str] = mapped_column(String(60))
    filters: Mapped[dict[str, Any]]
    is_shared: Mapped[bool]
    is_default: Mapped[bool]
    created_at: Mapped[datetime]


class QueuePresence(Base):
    """Somebody has a mention before them now; the row counts until shortly after `seen_at`."""

    __tablename__ = "queue_presence"
    __table_args__ = (Index("ix_queue_presence_seen", "seen_at"),)

    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True
    )
    who: Mapped[str] = mapped_column(String(320), primary_key=True)  # a user's e-mail
    name: Mapped[str]
    is_working: Mapped[bool]  # types or answers, rather than reads
    seen_at: Mapped[datetime]
