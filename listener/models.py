"""The tables of what is being said: brands, sources, authors, mentions, gaps."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from listener.types import GapKind, PostKind


class Step(StrEnum):
    """The next step that a mention waits for; none is left when all are done.

    The last two are the second lane of scoring: what went its way with a provisional label,
    or with that of an earlier model, waits there for the model's, the risky ones first.
    """

    SCORE = "score"
    LINK = "link"
    TRIAGE = "triage"
    JUDGE_FIRST = "judge_first"
    JUDGE = "judge"


#: Steps in which a mention that went its way already only waits for the model.
JUDGING = (Step.JUDGE_FIRST, Step.JUDGE)


class SourceState(StrEnum):
    """How a source is doing, as its last collections showed."""

    NEW = "new"
    OK = "ok"
    RETRYING = "retrying"  # failed, tried again at `next_due_at`
    PAUSED = "paused"  # a cap or credit is used up until `next_due_at`
    FAILING = "failing"  # refused; a person must mend it


class Brand(Base):
    """A brand that is watched; it comes from `brands.yaml` and is known there by `key`.

    `drill_of_id` marks a copy that holds the made-up mentions of drills: it is in no list,
    sum or export, and active only while a drill runs. `competitor_of_id` marks a competitor
    of a brand: what is said about it is counted beside that brand's and judged, without
    authors; it is in no list of brands, and nothing of it is queued, linked or alerted.
    """

    __tablename__ = "brand"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str]
    query: Mapped[str]
    names: Mapped[list[str]]  # names and handles by which texts mean the brand
    is_active: Mapped[bool] = mapped_column(default=True)
    drill_of_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    competitor_of_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    created_at: Mapped[datetime]

    @classmethod
    def is_own(cls) -> ColumnElement[bool]:
        """Return the condition that a brand is one of ours: no drill's copy, no competitor."""
        return cls.drill_of_id.is_(None) & cls.competitor_of_id.is_(None)


class Source(Base):
    """One query on one platform for one brand, with its health.

    `options` are the platform's own, checked by its collector.
    """

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[str] = mapped_column(String(200))
    platform: Mapped[str] = mapped_column(String(40))
    options: Mapped[dict[str, Any]]
    every_s: Mapped[float]
    is_active: Mapped[bool] = mapped_column(default=True)
    state: Mapped[SourceState] = mapped_column(enum_text(SourceState), default=SourceState.NEW)
    next_due_at: Mapped[datetime | None]
    last_attempt_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    newest_post_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    created_at: Mapped[datetime]

    brand: Mapped[Brand] = relationship(lazy="raise")


class Author(Base):
    """An account on a platform, known by the platform's immutable id, never by its handle."""

    __tablename__ = "author"
    __table_args__ = (
        UniqueConstraint("platform", "external_id"),
        Index("ix_author_handle", "platform", "handle"),
        Index(
            "ix_author_link_due",
            "link_due_at",
            sqlite_where=text("link_due_at IS NOT NULL"),
            postgresql_where=text("link_due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    handle: Mapped[str | None]
    name: Mapped[str | None]
    bio: Mapped[str | None]
    location: Mapped[str | None]
    links: Mapped[list[str]]
    verified_links: Mapped[list[str]]
    followers: Mapped[int | None]
    is_verified: Mapped[bool | None]
    created_at: Mapped[datetime | None]  # on the platform
    first_seen_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    profile_hash: Mapped[str] = mapped_column(String(64))
    #: Why the platform shows the account no more (`DeletionReason`); None while it does.
    gone_reason: Mapped[str | None] = mapped_column(String(20))
    #: Set when profile or contacts changed, so that linking looks at the author again.
    link_due_at: Mapped[datetime | None]


class Mention(Base):
    """A post about a brand: (brand, post).

    The same post about two brands is two mentions, because volume and sentiment toward the
    brand are counted for each. Collecting is idempotent through the unique key. `pending`
    is the queue: the next step that this mention waits for.
    """

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("brand_id", "platform", "external_id"),
        Index(
            "ix_mention_pending",
            "pending",
            "id",
            sqlite_where=text("pending IS NOT NULL"),
            postgresql_where=text("pending IS NOT NULL"),
        ),
        # With what lists are narrowed down by and sums are made of: what does not match is
        # passed over, and what is only counted is counted, without reading the rows.
        Index(
            "ix_mention_brand_published",
            *("brand_id", "published_at", "id", "label", "topic", "platform", "lang", "priority"),
            *("folded_into_id", "deleted_at", "source_id", "author_id"),
        ),
        Index("ix_mention_author", "author_id", "published_at"),
        Index(
            "ix_mention_negative",
            *("brand_id", "published_at", "topic", "folded_into_id", "deleted_at", "platform"),
            "author_id",
            sqlite_where=text("label = 'negative'"),
            postgresql_where=text("label = 'negative'"),
        ),
        Index(
            "ix_mention_conversation",
            "platform",
            "conversation_id",
            sqlite_where=text("conversation_id IS NOT NULL"),
            postgresql_where=text("conversation_id IS NOT NULL"),
        ),
        Index(
            "ix_mention_folded_into",
            "folded_into_id",
            sqlite_where=text("folded_into_id IS NOT NULL"),
            postgresql_where=text("folded_into_id IS NOT NULL"),
        ),
        Index("ix_mention_scorer", "brand_id", "scorer", "published_at"),
        Index(
            "ix_mention_unlabelled",
            "id",
            sqlite_where=text("label IS NULL AND pending IS NOT NULL"),
            postgresql_where=text("label IS NULL AND pending IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))  # None: imported
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    platform: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(300))
    kind: Mapped[PostKind] = mapped_column(enum_text(PostKind))
    url: Mapped[str | None]
    text: Mapped[str]
    platform_lang: Mapped[str | None] = mapped_column(String(20))
    conversation_id: Mapped[str | None] = mapped_column(String(300))
    reply_to_id: Mapped[str | None] = mapped_column(String(300))
    repost_of_id: Mapped[str | None] = mapped_column(String(300))
    links: Mapped[list[str]]
    likes: Mapped[int | None]
    reposts: Mapped[int | None]
    replies: Mapped[int | None]
    views: Mapped[int | None]
    published_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime]
    versions: Mapped[int] = mapped_column(default=1, server_default="1")
    pending: Mapped[Step | None] = mapped_column(enum_text(Step))

    # How it is meant: written by sentiment.service, empty until scored.
    label: Mapped[str | None] = mapped_column(String(20))
    score: Mapped[float | None]
    p_negative: Mapped[float | None]
    p_neutral: Mapped[float | None]
    p_positive: Mapped[float | None]
    confidence: Mapped[float | None]
    lang: Mapped[str | None] = mapped_column(String(20))
    scorer: Mapped[str | None] = mapped_column(String(100))
    scored_at: Mapped[datetime | None]

    # What it asks for: written by crm_link.triage.
    priority: Mapped[str | None] = mapped_column(String(20))
    topic: Mapped[str | None] = mapped_column(String(100))
    route: Mapped[str | None] = mapped_column(String(100))
    folded_into_id: Mapped[int | None] = mapped_column(ForeignKey("mention.id"))
    fold_count: Mapped[int] = mapped_column(default=0, server_default="0")

    author: Mapped[Author | None] = relationship(lazy="raise")
    brand: Mapped[Brand] = relationship(lazy="raise")


class MentionVersion(Base):
    """What a mention said before it was edited."""

    __tablename__ = "mention_version"
    __table_args__ = (UniqueConstraint("mention_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id"))
    number: Mapped[int]
    external_id: Mapped[str] = mapped_column(String(300))
    text: Mapped[str]
    until_at: Mapped[datetime]


class MentionAlias(Base):
    """Another id under which the platform knows a mention: an edited X post has several."""

    __tablename__ = "mention_alias"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    platform: Mapped[str] = mapped_column(String(40), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(300), primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id"))


class Gap(Base):
    """A stretch of time in which a source may have missed posts, until it is read again."""

    __tablename__ = "gap"
    __table_args__ = (Index("ix_gap_source_found", "source_id", "found_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    kind: Mapped[GapKind] = mapped_column(enum_text(GapKind))
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]
    detail: Mapped[str] = mapped_column(PhraseText)
    found_at: Mapped[datetime]
    filled_at: Mapped[datetime | None]
