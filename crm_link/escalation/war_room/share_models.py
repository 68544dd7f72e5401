"""The table of links by which people without an account see an incident."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class IncidentShare(Base):
    """A link that shows one incident to whoever has it, until it expires or is revoked.

    Only the hash of the link is stored: whoever reads the database cannot open it.
    """

    __tablename__ = "incident_share"
    __table_args__ = (Index("ix_incident_share_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the link's secret
    name: Mapped[str] = mapped_column(String(100))  # whom it is for, as its maker wrote
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(320))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(320))
    opened: Mapped[int] = mapped_column(default=0, server_default="0")  # minutes with a look at it
    last_opened_at: Mapped[datetime | None]
