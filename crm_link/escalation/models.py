"""The tables of who must know: protocols, incidents, their timeline, notifications."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseJson, PhraseText
from crm_link.models import DeliveryStatus
from listener.models import Brand

#: Kinds of incident: negative mentions, Groundswell itself, a test message, a drill.
BURST, OPERATIONS, TEST, DRILL = "burst", "operations", "test", "drill"


class IncidentStatus(StrEnum):
    """Where an incident is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ProtocolVersion(Base):
    """A crisis protocol as it stood at one time; incidents stay with the one they began with."""

    __tablename__ = "protocol_version"
    __table_args__ = (UniqueConstraint("brand_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[str]
    created_at: Mapped[datetime]


class Incident(Base):
    """Alerts on one topic of one brand, which people must act on.

    `open_key` is `brand:topic` while it is not resolved and None afterwards, so that the
    database itself keeps two from being open for the same thing.
    """

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("open_key"),
        Index("ix_incident_brand_opened", "brand_id", "opened_at"),
        Index(
            "ix_incident_due",
            "next_due_at",
            sqlite_where=text("next_due_at IS NOT NULL"),
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    protocol_version_id: Mapped[int] = mapped_column(ForeignKey("protocol_version.id"))
    topic: Mapped[str] = mapped_column(String(100))
    open_key: Mapped[str | None] = mapped_column(String(220))
    title: Mapped[str] = mapped_column(PhraseText)
    status: Mapped[IncidentStatus] = mapped_column(enum_text(IncidentStatus))
    severity: Mapped[str] = mapped_column(String(20))
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    #: What the detector measured, at the last look and at the worst: counts, share, window.
    facts: Mapped[dict[str, Any]] = mapped_column(PhraseJson)
    peak: Mapped[dict[str, Any]] = mapped_column(PhraseJson)
    step: Mapped[int] = mapped_column(default=0)  # the next step of the chain
    round: Mapped[int] = mapped_column(default=0)  # how often the chain has been gone through
    next_due_at: Mapped[datetime | None]  # when the next step is due; None: nothing is
    #: The round with which the chain began anew (opened, opened again, another chain):
    #: `repeat` counts from here.
    first_round: Mapped[int] = mapped_column(default=0, server_default="0")
    #: What was found on acknowledgement: claim, cluster, crisis_history; None: not assessed yet.
    assessment: Mapped[dict[str, Any] | None]
    assessed_at: Mapped[datetime | None]
    assessed_by: Mapped[str | None] = mapped_column(String(320))
    playbook: Mapped[str | None] = mapped_column(String(60))
    claims_at: Mapped[datetime | None]  # when its mentions were last sorted into claims
    #: What it is about: `burst`, `operations` (of Groundswell itself), `test` or `drill`.
    kind: Mapped[str] = mapped_column(String(20), default=BURST, server_default=BURST)
    suppressed_by: Mapped[str | None] = mapped_column(String(40))  # silence:7 or incident:7

    brand: Mapped[Brand] = relationship(lazy="raise")
    protocol_version: Mapped[ProtocolVersion] = relationship(lazy="raise")

    @property
    def is_drill(self) -> bool:
        """Whether it is a rehearsal: told over drill channels only, and in no statistics."""
        return self.kind == DRILL

    @property
    def is_about_mentions(self) -> bool:
        """Whether it is a crisis or its rehearsal, and not about Groundswell itself or a test."""
        return self.kind in {BURST, DRILL}


class IncidentWhy(Base):
    """Why an incident was raised, as it stood when it was opened; made by `why`.

    Ids, counts and words only: the texts stay with the mentions, so that what is deleted there
    is gone from here.
    """

    __tablename__ = "incident_why"

    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True
    )
    made_at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(PhraseJson)


class IncidentEvent(Base):
    """One entry of an incident's timeline: append-only."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime]
    actor: Mapped[str]  # a user's e-mail, or "groundswell"
    kind: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(PhraseJson)


class Notification(Base):
    """One message to one contact over one channel: an outbox row.

    The idempotency key is (incident, round, step, contact, attempt group), so that a step
    that runs twice does not tell anybody twice.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),
        Index("ix_notification_incident", "incident_id", "id"),
        Index(
            "ix_notification_contact_sent",
            "contact",
            "sent_at",
            sqlite_where=text("sent_at IS NOT NULL"),
            postgresql_where=text("sent_at IS NOT NULL"),
        ),
        Index(
            "ix_notification_due",
            "next_attempt_at",
            sqlite_where=text("status IN ('pending', 'sending')"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    idempotency_key: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(100))  # the contact's id in the protocol
    role: Mapped[str] = mapped_column(String(100))
    channel: Mapped[str] = mapped_column(String(40))
    channel_index: Mapped[int] = mapped_column(default=0)  # which of the contact's channels
    reason: Mapped[str] = mapped_column(String(40))  # step, severity, resolved, ...
    payload: Mapped[dict[str, Any]] = mapped_column(PhraseJson)
    status: Mapped[DeliveryStatus] = mapped_column(enum_text(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(40))  # the worker that holds the lease
    acked_at: Mapped[datetime | None]  # when its acknowledge link was used
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
