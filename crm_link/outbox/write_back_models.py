"""The tables of what leaves for the CRMs: the outbox, and the journal of what was written."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, enum_text
from config.kept_phrases import PhraseText


class DeliveryStatus(StrEnum):
    """Where an outbox row is."""

    PENDING = "pending"
    SENDING = "sending"  # claimed until `lease_until`; then anybody may send it again
    SENT = "sent"
    DEAD = "dead"  # refused for good, or tried too often; people see these
    CANCELLED = "cancelled"


class WriteBack(Base):
    """Enrichment on its way to a CRM record: one row per record, the latest wins.

    `version` counts changes; a row is done when `sent_version` has caught up with it, so
    that a change during sending is sent again.
    """

    __tablename__ = "write_back"
    __table_args__ = (
        UniqueConstraint("crm", "external_id"),
        Index(
            "ix_write_back_due",
            "next_attempt_at",
            sqlite_where=text("status IN ('pending', 'sending')"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
        Index(
            "ix_write_back_dead",
            *("crm", "next_attempt_at"),
            sqlite_where=text("status = 'dead'"),
            postgresql_where=text("status = 'dead'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    crm: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    fields: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    sent_version: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[DeliveryStatus] = mapped_column(enum_text(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class CrmJournalEntry(Base):
    """What we wrote into a CRM record, with what stood there before.

    Stored before the CRM is called, so that no write is without an entry; `done_at` is empty
    until the CRM said yes. `before` and `after` hold the fields that were written; `kept` names
    those that a person had changed, which were left alone.
    """

    __tablename__ = "crm_journal"
    __table_args__ = (Index("ix_crm_journal_record", "crm", "external_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    crm: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    kept: Mapped[list[str]]
    is_undo: Mapped[bool] = mapped_column(default=False, server_default=false())
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
