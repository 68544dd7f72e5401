"""The tables of webhooks from CRMs: what came already, and which contacts to look at again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class CrmHookSeen(Base):
    """A request that came, by its fingerprint, so that it does not count twice."""

    __tablename__ = "crm_hook_seen"
    __table_args__ = (Index("ix_crm_hook_seen_at", "at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class CrmRecheck(Base):
    """A contact that the CRM said to look at again; gone when it was read later than that."""

    __tablename__ = "crm_recheck"

    crm: Mapped[str] = mapped_column(String(40), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    heard_at: Mapped[datetime]
