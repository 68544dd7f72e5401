"""The tables of how it is meant, beside the columns that a mention carries itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base

#: Widths of the roll-up's buckets, in seconds: five minutes for bursts, an hour for charts.
GRAINS_S = (300, 3600)


class Volume(Base):
    """How many mentions a brand had in a bucket of publication time, by platform and label.

    Written in the transaction that writes the label, so that the sums are always exactly
    what the mentions say.
    """

    __tablename__ = "volume"
    __table_args__ = (Index("ix_volume_bucket", "grain_s", "bucket_at"),)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    grain_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bucket_at: Mapped[datetime] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(20), primary_key=True)
    mentions: Mapped[int] = mapped_column(default=0)
    score_sum: Mapped[float] = mapped_column(default=0.0)


class BurstState(Base):
    """A burst detector of one series of counts, as it stood at `stepped_to`.

    A series is a brand's (`topic` empty) or a topic's, of its negative or of all mentions,
    followed by the detector of one configuration. The reading stands in columns of its own,
    so that asking for the present index loads no state. Deleting a row loses no alert: the
    next step makes it again from the stored counts.
    """

    __tablename__ = "burst_state"
    __table_args__ = (
        Index(
            "ix_burst_state_high",
            "brand_id",
            sqlite_where=text("burst_index >= 0.5"),
            postgresql_where=text("burst_index >= 0.5"),
        ),
    )

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    config: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: End of the last bucket that was taken in.
    stepped_to: Mapped[datetime]
    # The reading, with what has been seen of the buckets that are not closed.
    burst_index: Mapped[float]
    seen: Mapped[float]
    expected: Mapped[float]
    window_s: Mapped[int]
    is_known: Mapped[bool]
    is_ready: Mapped[bool]
    #: Counts of the buckets after `stepped_to` that the reading has seen, as JSON.
    coming: Mapped[str]
    #: The detector, as JSON: text, because nobody looks inside and it is written often.
    state: Mapped[str]


class BurstHour(Base):
    """The highest burst index that a brand reached in an hour, all its series weighed.

    Written in the transaction that writes the detectors' states. What a false-alarm budget is
    worked out from, and what a chart of the index is drawn from.
    """

    __tablename__ = "burst_hour"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    burst_index: Mapped[float]


class Correction(Base):
    """What a person says a mention's label is; it wins over the model until it ends.

    One at a time holds for a mention (the partial unique index); ended ones stay, so that
    who said what can be told. It is about the mention's text at `mention_version`: an edited
    text is judged anew. What the model says is kept here and refreshed by each scoring: an
    undo restores it, and recalibration learns from the pair.
    """

    __tablename__ = "correction"
    __table_args__ = (
        Index(
            "uq_correction_open",
            "mention_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_correction_mention", "mention_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    mention_version: Mapped[int]
    label: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(200))
    model_label: Mapped[str | None] = mapped_column(String(20))
    model_score: Mapped[float | None]
    model_p_negative: Mapped[float | None]
    model_p_neutral: Mapped[float | None]
    model_p_positive: Mapped[float | None]
    model_confidence: Mapped[float | None]
    model_scorer: Mapped[str | None] = mapped_column(String(100))
    model_scored_at: Mapped[datetime | None]


class OldScore(Base):
    """What an earlier scorer said about a mention, kept for comparison."""

    __tablename__ = "old_score"

    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True
    )
    scorer: Mapped[str] = mapped_column(String(100), primary_key=True)
    label: Mapped[str] = mapped_column(String(20))
    score: Mapped[float | None]
    p_negative: Mapped[float | None]
    p_neutral: Mapped[float | None]
    p_positive: Mapped[float | None]
    confidence: Mapped[float | None]
    scored_at: Mapped[datetime | None]


class BrandCalibration(Base):
    """A brand's recalibration of one scorer, learned from corrections.

    Every version stays: a judgement names the one that it was made with, and learning anew
    needs to take that one back out.
    """

    __tablename__ = "brand_calibration"
    __table_args__ = (UniqueConstraint("brand_id", "scorer", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    scorer: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]
    is_active: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[dict[str, Any]]
    corrections: Mapped[int]
    log_loss_before: Mapped[float]
    log_loss_after: Mapped[float]
    ece_before: Mapped[float]
    ece_after: Mapped[float]
    fitted_at: Mapped[datetime]
