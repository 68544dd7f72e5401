"""The table of target personas: whom a brand wants to speak with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class Persona(Base):
    """A brand's target persona: languages, places and interests that people should have."""

    __tablename__ = "persona"

    brand_id: Mapped[int] = mapped_column(
        ForeignKey("brand.id"), primary_key=True, autoincrement=False
    )
    languages: Mapped[list[str]]
    places: Mapped[list[str]]
    interests: Mapped[list[str]]
    updated_by: Mapped[str]
    updated_at: Mapped[datetime]
