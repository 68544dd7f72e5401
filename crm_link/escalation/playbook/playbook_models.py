"""The tables of what is done in an incident: tasks, clocks, claims, statements.

And of what is known about protocols themselves: which file was in force since when.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, enum_text
from config.kept_phrases import PhraseText


class ClockKind(StrEnum):
    """What has to be said by when."""

    HOLDING_STATEMENT = "holding_statement"
    UPDATE = "update"


class ClaimVerdict(StrEnum):
    """What a person found about a claim."""

    UNKNOWN = "unknown"
    UNTRUE = "untrue"
    PARTLY = "partly"
    TRUE_CLAIM = "true_claim"


class StatementState(StrEnum):
    """Where a statement is on its way out."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"  # taken back, by a person or because a verdict changed


class ProtocolSeen(Base):
    """One edit of a protocol's file that the running system saw; append-only.

    `protocol_version_id` is None where the file was broken: `problem` says how, and the version
    before stayed in force.
    """

    __tablename__ = "protocol_seen"
    __table_args__ = (Index("ix_protocol_seen_brand", "brand_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    protocol_version_id: Mapped[int | None] = mapped_column(ForeignKey("protocol_version.id"))
    seen_at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))  # who saved it, else the file's owner
    file: Mapped[str]
    problem: Mapped[str | None] = mapped_column(PhraseText)
    why: Mapped[str | None]  # as whoever saved it in the console wrote


class IncidentTask(Base):
    """One task of an incident's playbook; a task that two playbooks share stays one."""

    __tablename__ = "incident_task"
    __table_args__ = (
        UniqueConstraint("incident_id", "key"),
        Index(
            "ix_incident_task_due",
            "due_at",
            sqlite_where=text("done_at IS NULL AND dropped_at IS NULL AND due_at IS NOT NULL"),
            postgresql_where=text("done_at IS NULL AND dropped_at IS NULL AND due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    key: Mapped[str] = mapped_column(String(100))
    playbook: Mapped[str] = mapped_column(String(60))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(PhraseText)
    owner: Mapped[str] = mapped_column(String(200))  # a role, a contact's id, or a user
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(320))
    dropped_at: Mapped[datetime | None]  # its playbook is not the incident's any more
    reminded_at: Mapped[datetime | None]


class IncidentClock(Base):
    """Something that has to be said by a time: the holding statement, the next update."""

    __tablename__ = "incident_clock"
    __table_args__ = (
        UniqueConstraint("incident_id", "kind", "number"),
        Index(
            "ix_incident_clock_due",
            "due_at",
            sqlite_where=text("stopped_at IS NULL"),
            postgresql_where=text("stopped_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    kind: Mapped[ClockKind] = mapped_column(enum_text(ClockKind))
    number: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(320))
    is_met: Mapped[bool | None]  # None: it runs, or what it asked for is not needed any more
    reminded_at: Mapped[datetime | None]


class IncidentClaim(Base):
    """What an incident's mentions assert, and what a person found about it.

    Its words are those of `mention_id`, which are read when they are shown, so that a post
    that is deleted on its platform leaves no copy here. `title` is a person's.
    """

    __tablename__ = "incident_claim"
    __table_args__ = (Index("ix_incident_claim_incident", "incident_id", "mentions"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    mention_id: Mapped[int | None] = mapped_column(ForeignKey("mention.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(default="", server_default="")
    #: How often each word stands in its mentions, the most frequent ones.
    words: Mapped[dict[str, Any]]
    mentions: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    verdict: Mapped[ClaimVerdict] = mapped_column(enum_text(ClaimVerdict))
    evidence: Mapped[str] = mapped_column(default="", server_default="")
    owner: Mapped[str] = mapped_column(String(320), default="", server_default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(320))


class ClaimMention(Base):
    """Which claim a mention makes in an incident; None: it was looked at and makes none."""

    __tablename__ = "claim_mention"
    __table_args__ = (Index("ix_claim_mention_claim", "claim_id"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True
    )
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("incident_claim.id"))


class IncidentStatement(Base):
    """A statement of the protocol, filled in for an incident, on its way out."""

    __tablename__ = "incident_statement"
    __table_args__ = (Index("ix_incident_statement_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("incident_claim.id"))
    key: Mapped[str] = mapped_column(String(100))
    strategy: Mapped[str] = mapped_column(String(20))
    lang: Mapped[str] = mapped_column(String(10))
    text: Mapped[str]
    state: Mapped[StatementState] = mapped_column(enum_text(StatementState))
    needs: Mapped[list[str]]  # roles
    approvals: Mapped[list[dict[str, Any]]]  # role, by, at
    may_go_at: Mapped[datetime | None]  # from then on without the approvals that are missing
    requested_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(String(320))
    closed_at: Mapped[datetime | None]  # rejected, published or withdrawn
    closed_by: Mapped[str | None] = mapped_column(String(320))
    reason: Mapped[str] = mapped_column(PhraseText, default="", server_default="")
    url: Mapped[str] = mapped_column(default="", server_default="")


class MentionClass(Base):
    """The class that a person gave a negative mention: it wins over the rules."""

    __tablename__ = "mention_class"

    mention_id: Mapped[int] = mapped_column(
        ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]
