"""The tables that collecting keeps for itself: cursors, runs, raw answers, what is left out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base
from config.kept_phrases import PhraseText


class SourceCursor(Base):
    """Where a source's next collection starts.

    One per query, credential and host (`key` is their hash): a cursor of another query or
    another account would silently skip posts, so an edited query starts a bounded backfill.
    """

    __tablename__ = "source_cursor"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    cursor: Mapped[str]
    updated_at: Mapped[datetime]


class Collection(Base):
    """One run of a source: what it saw, so that silence and loss can be shown."""

    __tablename__ = "collection"
    __table_args__ = (Index("ix_collection_source_started", "source_id", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    pages: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(PhraseText)


class RawPost(Base):
    """The platform's own answer for a post, compressed with zlib, for as long as settings say."""

    __tablename__ = "raw_post"
    __table_args__ = (Index("ix_raw_post_fetched", "fetched_at"),)

    platform: Mapped[str] = mapped_column(String(40), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(300), primary_key=True)
    fetched_at: Mapped[datetime]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class QuarantinedItem(Base):
    """One item that a collector or an import could not understand, with the reason."""

    __tablename__ = "quarantined_item"
    __table_args__ = (Index("ix_quarantined_item_source", "source_id", "found_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str | None] = mapped_column(String(300))
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    error: Mapped[str]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    found_at: Mapped[datetime]


class Suppression(Base):
    """An account or a post that was erased and is never stored again: a keyed hash only."""

    __tablename__ = "suppression"

    value_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # author or post
    created_at: Mapped[datetime]
