"""The tables of replies that are posted through the API: the outbox, and what was done."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from listener.models import Mention
from listener.replier import Refusal


class ReplyState(StrEnum):
    """Where a reply is on its way out."""

    WAITING = "waiting"  # for approval
    SENT_BACK = "sent_back"  # to whoever wrote it, with a word why
    APPROVED = "approved"  # goes out at `next_attempt_at`
    SENDING = "sending"  # claimed until `lease_until`; then it is in doubt
    IN_DOUBT = "in_doubt"  # it may be there: the platform is asked, then a person
    POSTED = "posted"
    REHEARSED = "rehearsed"  # of a drill or the demo: shown as it would go, never posted
    FAILED = "failed"  # refused or too late; a person decides
    CANCELLED = "cancelled"


#: What is not over: a mention has one such reply at most.
LIVE = (
    ReplyState.WAITING,
    ReplyState.SENT_BACK,
    ReplyState.APPROVED,
    ReplyState.SENDING,
    ReplyState.IN_DOUBT,
    ReplyState.FAILED,
)

#: What the outbox works on.
DUE = (ReplyState.APPROVED, ReplyState.SENDING, ReplyState.IN_DOUBT)


def _among(states: tuple[ReplyState, ...]) -> str:
    return "state IN (" + ", ".join(f"'{state}'" for state in states) + ")"


class Reply(Base):
    """An answer to a mention, from its first words to its page on the platform.

    At most one of a mention is on its way, which the unique index promises. `version` counts
    every change, so that what is approved is what was read. `tried_at` is when a request may
    first have left: from then on the platform is asked before another one is made.
    """

    __tablename__ = "reply"
    __table_args__ = (
        Index(
            "uq_reply_live",
            "mention_id",
            unique=True,
            sqlite_where=text(_among(LIVE)),
            postgresql_where=text(_among(LIVE)),
        ),
        Index(
            "ix_reply_due",
            "next_attempt_at",
            sqlite_where=text(_among(DUE)),
            postgresql_where=text(_among(DUE)),
        ),
        Index(
            "ix_reply_open",
            "state",
            "id",
            sqlite_where=text(_among(LIVE)),
            postgresql_where=text(_among(LIVE)),
        ),
        Index("ix_reply_mention", "mention_id", "id"),
        Index("ix_reply_posted", "posted_id", "platform"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    platform: Mapped[str] = mapped_column(String(40))
    account: Mapped[str] = mapped_column(String(40), default="")  # empty: the only one
    text: Mapped[str]
    faq_id: Mapped[str | None] = mapped_column(String(100))  # the protocol's answer, word for word
    closes: Mapped[bool]  # whether the mention is done once it is posted
    state: Mapped[ReplyState] = mapped_column(enum_text(ReplyState))
    version: Mapped[int] = mapped_column(default=1)
    written_by: Mapped[str] = mapped_column(String(320))  # a user's e-mail: the last who wrote
    writers: Mapped[list[str]]  # everybody who wrote any of it: none of them approves it
    written_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(320))  # None: it needed no approval
    approved_at: Mapped[datetime | None]
    why: Mapped[str | None]  # it was sent back
    attempts: Mapped[int] = mapped_column(default=0)
    looks: Mapped[int] = mapped_column(default=0)  # at the account's posts, while it is in doubt
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    refusal: Mapped[Refusal | None] = mapped_column(enum_text(Refusal))
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    posted_id: Mapped[str | None] = mapped_column(String(200))
    posted_url: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    mention: Mapped[Mention] = relationship(lazy="raise")


class ReplyEvent(Base):
    """What was done to a reply: who, when, what, and the words that it had then; append-only."""

    __tablename__ = "reply_event"
    __table_args__ = (
        Index("ix_reply_event_reply", "reply_id", "id"),
        Index("ix_reply_event_mention", "mention_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id", ondelete="CASCADE"))
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(320))  # a user's e-mail, or groundswell
    action: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    note: Mapped[str] = mapped_column(PhraseText)
    text: Mapped[str | None]  # where it changed
