"""The tables of reports: by mail, when which is due to whom and what has left; and as files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from crm_link.escalation.models import Incident
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


class FileKind(StrEnum):
    """What a file reports on."""

    INCIDENT = "incident"
    WEEKLY = "weekly"
    RESPONSES = "responses"


class FileState(StrEnum):
    """How far a file is."""

    QUEUED = "queued"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class ReportFile(Base):
    """A PDF file that somebody asked for; it is made in the background, and kept for a day.

    `next_attempt_at` is when a queued one is due, and when the lease of one that is being made is
    over. `owner` is a word of whoever claimed it: what was claimed anew, or forgotten meanwhile,
    takes nothing of a former owner.

    What a report says depends on which brands its reader sees, so that is kept with it. Accounts
    belong to the package above: `asked_by_id` is no foreign key.
    """

    __tablename__ = "report_file"
    __table_args__ = (
        Index(
            "ix_report_file_due",
            "next_attempt_at",
            sqlite_where=text("state IN ('queued', 'making')"),
            postgresql_where=text("state IN ('queued', 'making')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FileKind] = mapped_column(enum_text(FileKind))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey(Incident.id))
    until_at: Mapped[datetime | None]  # end of the report's window; an incident has none
    language: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60))
    with_people: Mapped[bool]
    seen_brands: Mapped[str | None]  # ids with commas, in order; null: all
    asked_by_id: Mapped[int]
    state: Mapped[FileState] = mapped_column(enum_text(FileState))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime]
    owner: Mapped[str | None] = mapped_column(String(32))
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]  # when it was made, or given up
    expires_at: Mapped[datetime]
    file_name: Mapped[str | None]
    # The last column: SQLite reads through what stands before another one.
    content: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, deferred_raiseload=True
    )

    brand: Mapped[Brand] = relationship(lazy="raise")
