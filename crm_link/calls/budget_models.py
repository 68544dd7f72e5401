"""The table of calls that a CRM's account has left."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base
from config.kept_phrases import PhraseText


class CrmBudget(Base):
    """What is left of one limit of one CRM account, shared by all processes.

    A bucket of tokens that fills evenly; `running` holds the calls of a limit of calls at one
    moment, as "end of its lease, ticket". `said_left` and `said_of` are the CRM's own words.
    """

    __tablename__ = "crm_budget"

    crm: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    size: Mapped[int]
    window_s: Mapped[float]
    tokens: Mapped[float]
    filled_at: Mapped[datetime]
    running: Mapped[list[str]]
    said_left: Mapped[int | None]
    said_of: Mapped[int | None]
    said_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(PhraseText)
