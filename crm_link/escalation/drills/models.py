"""The tables of being prepared: drills, and what people wrote after an incident."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from crm_link.escalation.models import Incident
from listener.models import Brand


class DrillMode(StrEnum):
    """How time passes in a drill."""

    LIVE = "live"  # in real time, for people
    FAST = "fast"  # compressed, for the machine: nobody is told


class DrillState(StrEnum):
    """Where a drill is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # a person ended it; it is not scored


class Drill(Base):
    """A rehearsed attack on a brand, with what it came to.

    One at a time runs for a brand (the partial unique index). `script` holds the posts that
    are fed while it runs and is emptied at its end: a replayed attack's texts stay nowhere.
    """

    __tablename__ = "drill"
    __table_args__ = (
        Index("ix_drill_brand_started", "brand_id", "started_at"),
        Index(
            "uq_drill_running",
            "brand_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))  # the real brand
    mode: Mapped[DrillMode] = mapped_column(enum_text(DrillMode))
    state: Mapped[DrillState] = mapped_column(enum_text(DrillState))
    scenario: Mapped[str] = mapped_column(String(200))  # a scenario's name, or `incident:ID`
    title: Mapped[str] = mapped_column(PhraseText)
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    #: When it ends by itself, whatever people do.
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: How many posts of the script have been fed.
    fed: Mapped[int] = mapped_column(default=0, server_default="0")
    script: Mapped[list[dict[str, Any]]]
    score: Mapped[int | None]  # 0 to 100; None where nothing could be measured
    result: Mapped[dict[str, Any]]

    brand: Mapped[Brand] = relationship(lazy="raise")


class IncidentReview(Base):
    """What people wrote after an incident: the fields that the protocol asks for under `after`."""

    __tablename__ = "incident_review"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    fields: Mapped[dict[str, Any]]
    written_by: Mapped[str]
    written_at: Mapped[datetime]

    incident: Mapped[Incident] = relationship(lazy="raise")
