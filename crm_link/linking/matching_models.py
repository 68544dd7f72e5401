"""The tables of matching: name keys, how common names are, consent, pairs that stay apart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base


class MatchKey(Base):
    """A form of a contact's name, host or region by which an author finds it.

    The key is a 64-bit hash (`crm_link.linking.match_keys.hash_key`): two that are the same by
    chance cost a comparison, and the table is half the size of one with texts.
    """

    __tablename__ = "match_key"
    __table_args__ = (
        Index("ix_match_key_contact", "contact_id"),
        {"sqlite_with_rowid": False},
    )

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


class NameCount(Base):
    """How many contacts have a family name, given name, region or host; `all` counts them."""

    __tablename__ = "name_count"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    contacts: Mapped[int]


class ContactConsent(Base):
    """What a contact agreed to: being linked on one platform, or on `any`."""

    __tablename__ = "contact_consent"
    __table_args__ = (Index("ix_contact_consent_contact", "contact_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(40))
    note: Mapped[str]  # where the consent is on file
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]


class LinkRefusal(Base):
    """A pair, or a whole account or person, that is never proposed again: a keyed hash only.

    Kept after an erasure, when nothing else is left that names either side.
    """

    __tablename__ = "link_refusal"

    value_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40))  # opt_out or erased
    created_at: Mapped[datetime]


class RecordVerdict(Base):
    """What a person said of two records of CRMs: that they are of one person, or are not.

    The smaller id stands first. Who said what before is in the audit log.
    """

    __tablename__ = "record_verdict"
    __table_args__ = (
        UniqueConstraint("contact_id", "other_id"),
        CheckConstraint("contact_id < other_id", name="ordered"),
        Index("ix_record_verdict_other", "other_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    is_same: Mapped[bool]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
