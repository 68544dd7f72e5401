"""The tables of the board's sums: what the mentions of an hour say, summed when they change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base

#: Widths of the sums' buckets, in seconds: an hour, and a quarter of a day for long periods.
FACET_GRAINS_S = (3600, 21_600)


class DueHour(Base):
    """An hour of a brand whose sums are no longer what its mentions say.

    `marks` counts the changes, so that one which comes while the hour is being summed is not
    taken for done.
    """

    __tablename__ = "due_hour"
    __table_args__ = (Index("ix_due_hour_marked", "marked_at"),)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    #: The first change that is not summed yet.
    marked_at: Mapped[datetime]
    marks: Mapped[int] = mapped_column(default=1)


class Facet(Base):
    """How many mentions of a bucket have one value: a language, an emotion, an intent, ..."""

    __tablename__ = "facet"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    grain_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bucket_at: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(String(100), primary_key=True)
    mentions: Mapped[int] = mapped_column(default=0)
    negative: Mapped[int] = mapped_column(default=0)
    neutral: Mapped[int] = mapped_column(default=0)
    positive: Mapped[int] = mapped_column(default=0)
    #: Judged with a confidence below `signal_sums.UNSURE`.
    unsure: Mapped[int] = mapped_column(default=0)


class Place(Base):
    """How many mentions of a bucket come from one country, by what the authors state.

    `people` counts authors. Where they are fewer than `facets.LEAST_PEOPLE`, `who` has their
    ids, so that a sum over buckets can tell whether it is about enough people to be shown;
    else it is empty.
    """

    __tablename__ = "place"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    grain_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bucket_at: Mapped[datetime] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    mentions: Mapped[int] = mapped_column(default=0)
    negative: Mapped[int] = mapped_column(default=0)
    neutral: Mapped[int] = mapped_column(default=0)
    positive: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    who: Mapped[str] = mapped_column(String(200), default="")


class Influence(Base):
    """How often an author with reach spoke in a bucket: those who reach most, by bucket."""

    __tablename__ = "influence"
    __table_args__ = (Index("ix_influence_author", "author_id"),)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    grain_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bucket_at: Mapped[datetime] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(
        ForeignKey("author.id", ondelete="CASCADE"), primary_key=True
    )
    followers: Mapped[int] = mapped_column(default=0)
    mentions: Mapped[int] = mapped_column(default=0)
    negative: Mapped[int] = mapped_column(default=0)
    positive: Mapped[int] = mapped_column(default=0)


class TopicBoard(Base):
    """The topics of a period of the board, found in advance: finding them takes seconds.

    `brand_id` is 0 for all brands together.
    """

    __tablename__ = "topic_board"

    brand_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    found_at: Mapped[datetime]
    found: Mapped[dict[str, Any]]
