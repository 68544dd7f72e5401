"""The tables of signals: what a mention says besides its polarity, and the topics known by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class MentionSignal(Base):
    """What a mention says besides its polarity: emotion, intents, spam and bot likelihood.

    The row is written in the transaction that writes the judgement, with what the model's heads
    said and `due_at`; the step of signals then fills in the rest. Brand and time stand here as
    well, so that a window is summed from one index.
    """

    __tablename__ = "mention_signal"
    __table_args__ = (
        Index("ix_mention_signal_window", "brand_id", "published_at", "emotion"),
        Index(
            "ix_mention_signal_due",
            "mention_id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_mention_signal_rules", "rules"),
        # Next to nothing is spam: the list of it is read from here.
        Index(
            "ix_mention_signal_spam",
            *("brand_id", "published_at"),
            sqlite_where=text("spam >= 0.5 OR bot >= 0.5"),
            postgresql_where=text("spam >= 0.5 OR bot >= 0.5"),
        ),
    )

    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    brand_id: Mapped[int]
    published_at: Mapped[datetime]
    #: When the judgement was written that the rest is not filled in for yet.
    due_at: Mapped[datetime | None]

    # What the model's heads say; None where it has none, or does not read the language.
    scorer: Mapped[str | None] = mapped_column(String(100))
    p_emotion: Mapped[dict[str, Any]]
    irony: Mapped[float | None]
    offensive: Mapped[float | None]
    #: The emotion that is clear enough to be shown and counted (`signals.clear_emotion`).
    emotion: Mapped[str | None] = mapped_column(String(20))

    # What the rules say; `rules` is their version, None until they were asked.
    rules: Mapped[str | None] = mapped_column(String(40))
    #: With a space before and after each, so that one is found by LIKE; empty for none.
    intents: Mapped[str] = mapped_column(String(120))
    complaint_reason: Mapped[str | None] = mapped_column(String(40))
    spam: Mapped[float | None]
    bot: Mapped[float | None]
    spam_reasons: Mapped[list[str]]
    bot_reasons: Mapped[list[str]]


class StoredTopic(Base):
    """A topic that a brand's mentions had, by which a later window knows it again."""

    __tablename__ = "topic"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: Folded words with their weights, heaviest first.
    words: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
