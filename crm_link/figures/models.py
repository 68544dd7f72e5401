"""The tables of figures of people that were counted in advance: ids and numbers only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class FigureWindow(Base):
    """A window of a brand whose figures are counted in advance, and what was counted last.

    `name` says which one, "30d" for the last 30 days; `since` and `until` are the ends of what
    was counted, or of what is asked for. `marks` counts what makes a count that runs at that
    moment wrong, an erasure, so that one that began before it is not stored.
    """

    __tablename__ = "figure_window"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[str] = mapped_column(String(80))
    since: Mapped[datetime]
    until: Mapped[datetime]
    #: When somebody asked for it; None for one that is kept for every brand.
    asked_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    marks: Mapped[int] = mapped_column(default=0)
    #: None until it is counted for the first time.
    counted_at: Mapped[datetime | None]
    took_s: Mapped[float] = mapped_column(default=0.0)
    sums: Mapped[dict[str, Any]]


class FigurePerson(Base):
    """An author in a list of a window: a segment, the influential, leads, churn warnings.

    Who they are, and whom of the CRM, is read when the list is shown.
    """

    __tablename__ = "figure_person"
    __table_args__ = (Index("ix_figure_person_author", "author_id"),)

    window_id: Mapped[int] = mapped_column(
        ForeignKey("figure_window.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    listing: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: Where in the list, from 0.
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"))
    #: None in lists of scores, as the next two.
    mentions: Mapped[int | None]
    #: Mean score of the judged mentions, -1 to +1.
    mean: Mapped[float | None]
    engagement: Mapped[int | None]
    #: What a score is made of, names and points; empty where the list has none.
    parts: Mapped[list[dict[str, Any]]]
