"""The tables of reports by mail: when which is due to whom, and what has left."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from crm_link.models import DeliveryStatus
from listener.models import Brand


class ReportSchedule(Base):
    """A report that is mailed every week; `next_due_at` moves on in the transaction that queues."""

    __tablename__ = "report_schedule"
    __table_args__ = (Index("ix_report_schedule_due", "is_active", "next_due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    kind: Mapped[str] = mapped_column(String(20))  # weekly, responses
    form: Mapped[str] = mapped_column(String(10))  # html, pdf, csv
    weekday: Mapped[int]  # 0 is Monday
    hour: Mapped[int]  # 0 to 23, in `zone`
    zone: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    recipients: Mapped[list[str]]
    is_active: Mapped[bool] = mapped_column(default=True)
    next_due_at: Mapped[datetime]
    created_by: Mapped[str]
    created_at: Mapped[datetime]

    brand: Mapped[Brand] = relationship(lazy="raise")


class ReportMail(Base):
    """One report to one address: an outbox row.

    The idempotency key is (schedule, when it was due, address), so that a job that runs twice
    mails once.
    """

    __tablename__ = "report_mail"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),
        Index("ix_report_mail_schedule", "schedule_id", "id"),
        Index(
            "ix_report_mail_due",
            "next_attempt_at",
            sqlite_where=text("status IN ('pending', 'sending')"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("report_schedule.id"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    idempotency_key: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(20))
    form: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60), default="UTC", server_default="UTC")
    language: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    until_at: Mapped[datetime]  # end of the report's window
    recipient: Mapped[str] = mapped_column(String(320))
    status: Mapped[DeliveryStatus] = mapped_column(enum_text(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    brand: Mapped[Brand] = relationship(lazy="raise")
