"""The tables of delivery: acknowledgements, silences, who is on call, replies from outside."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base
from config.kept_phrases import PhraseText


class Acknowledgement(Base):
    """One contact's own acknowledgement, for steps that all of their people must acknowledge.

    By round, because a chain that begins again asks everybody again.
    """

    __tablename__ = "acknowledgement"
    __table_args__ = (UniqueConstraint("incident_id", "round", "contact"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    round: Mapped[int]
    contact: Mapped[str] = mapped_column(String(100))  # the contact's id in the protocol
    by: Mapped[str]
    at: Mapped[datetime]


class Silence(Base):
    """A planned time in which nobody is told: who set it, why, for what, until when.

    Never deleted, and ended early by `ended_at`, so that what it hid can be explained later.
    """

    __tablename__ = "silence"
    __table_args__ = (Index("ix_silence_ends", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))  # None: every brand
    topics: Mapped[list[str]]  # empty: every topic
    severities: Mapped[list[str]]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    comment: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class OnCallOverride(Base):
    """A person who is on call in somebody's place for a while; the newest one counts."""

    __tablename__ = "on_call_override"
    __table_args__ = (Index("ix_on_call_override_ends", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    rotation: Mapped[str] = mapped_column(String(100))
    contact: Mapped[str] = mapped_column(String(100))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]


class OnCallCalendar(Base):
    """The last good copy of a calendar that says who is on call, and how reading it goes."""

    __tablename__ = "on_call_calendar"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str | None]
    fetched_at: Mapped[datetime | None]  # when `content` was read
    tried_at: Mapped[datetime]
    problem: Mapped[str | None] = mapped_column(PhraseText)


class InboundReply(Base):
    """One reply from outside that has been obeyed, so that it is obeyed once."""

    __tablename__ = "inbound_reply"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(20))  # slack, sms, webhook
    external_id: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    contact: Mapped[str | None] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(20))
    answer: Mapped[str]
