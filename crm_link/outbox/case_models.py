"""The table of what Groundswell opens in CRMs beside contacts: cases, and notes of incidents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, enum_text
from crm_link.types import RecordKind


class CrmCase(Base):
    """A case or a note in a CRM, and what it is about.

    `key` is the CRM's key of the record too (`x:12345`, `incident:7:x:99`): it is unique over all
    CRMs, so that the database itself keeps one complaint from being opened twice, in whichever
    CRMs its author's contacts are. What the record says is in the outbox, under `address`.
    """

    __tablename__ = "crm_case"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        Index("ix_crm_case_contact", "contact_id", "id"),
        Index("ix_crm_case_author", "author_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RecordKind] = mapped_column(enum_text(RecordKind))
    key: Mapped[str] = mapped_column(String(120))
    crm: Mapped[str] = mapped_column(String(40))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"))
    mention_id: Mapped[int | None] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    #: Of an incident, by its id; incidents are in a package that knows this one.
    incident_id: Mapped[int | None]
    is_open: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
