"""The table of how the calls to each CRM went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base
from config.kept_phrases import PhraseText


class CrmHealth(Base):
    """Since when one kind of work in one CRM fails; one row for all processes.

    `failing_since` is empty while it goes well. A limit that is used up is no failure.
    """

    __tablename__ = "crm_health"

    crm: Mapped[str] = mapped_column(String(40), primary_key=True)
    work: Mapped[str] = mapped_column(String(20), primary_key=True)
    failing_since: Mapped[datetime | None]
    failures: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    last_success_at: Mapped[datetime | None]
