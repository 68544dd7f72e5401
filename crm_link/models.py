"""The tables of who is speaking: contacts, identity links, flags, write-backs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.db import Base, enum_text
from config.kept_phrases import PhraseText
from crm_link.calls.budget_models import CrmBudget as CrmBudget  # noqa: PLC0414 - its table too
from crm_link.calls.health_models import CrmHealth as CrmHealth  # noqa: PLC0414 - its table too
from crm_link.contacts.contact_models import (
    Contact as Contact,  # noqa: PLC0414 - one door to all tables
)
from crm_link.contacts.contact_models import (
    ContactKey as ContactKey,  # noqa: PLC0414
)
from crm_link.hook_models import CrmRecheck as CrmRecheck  # noqa: PLC0414 - its tables too
from crm_link.linking.matching_models import MatchKey as MatchKey  # noqa: PLC0414 - its tables too
from crm_link.outbox.case_models import CrmCase as CrmCase  # noqa: PLC0414 - its tables too
from crm_link.outbox.write_back_models import (
    CrmJournalEntry as CrmJournalEntry,  # noqa: PLC0414 - one door to all tables
)
from crm_link.outbox.write_back_models import (
    DeliveryStatus as DeliveryStatus,  # noqa: PLC0414
)
from crm_link.outbox.write_back_models import (
    WriteBack as WriteBack,  # noqa: PLC0414
)
from crm_link.types import LinkState, Priority
from listener.models import Author, Mention


class FlagStatus(StrEnum):
    """Where a flagged mention is in a person's work."""

    OPEN = "open"
    DONE = "done"
    DISMISSED = "dismissed"


class AuthorKey(Base):
    """A value that an author shows, as a keyed hash, by which a later contact finds the author.

    `mention_id` names the mention whose text shows it, None the profile. The text is read
    again at each judgement, so that a deleted or edited mention says nothing any more.
    """

    __tablename__ = "author_key"
    __table_args__ = (
        Index("ix_author_key_value", "value_hash", "kind"),
        Index(
            "ix_author_key_mention",
            "mention_id",
            sqlite_where=text("mention_id IS NOT NULL"),
            postgresql_where=text("mention_id IS NOT NULL"),
        ),
    )

    author_id: Mapped[int] = mapped_column(
        ForeignKey("author.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    value_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    mention_id: Mapped[int | None] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))


class CrmCursor(Base):
    """Where the next sync of a CRM's contacts starts."""

    __tablename__ = "crm_cursor"

    crm: Mapped[str] = mapped_column(String(40), primary_key=True)
    cursor: Mapped[str]
    updated_at: Mapped[datetime]


class IdentityLink(Base):
    """A claim "this author is that contact", with what it rests on.

    Never a merge: both sides stay as they are, and the claim can be taken back.
    """

    __tablename__ = "identity_link"
    __table_args__ = (
        UniqueConstraint("author_id", "contact_id"),
        Index("ix_identity_link_contact", "contact_id", "state"),
        Index("ix_identity_link_state", "state", "id"),
        Index("ix_identity_link_weight", "state", "weight_bits", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    state: Mapped[LinkState] = mapped_column(enum_text(LinkState))
    weight_bits: Mapped[float]
    probability: Mapped[float | None]
    evidence: Mapped[list[dict[str, Any]]]
    rule_version: Mapped[str] = mapped_column(String(40))
    decided_by: Mapped[str | None]  # a user's e-mail; None: by evidence alone
    decided_at: Mapped[datetime]
    created_at: Mapped[datetime]
    #: Its evidence was gone once, or policy forbade it: it is confirmed again by a person only.
    was_withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())

    author: Mapped[Author] = relationship(lazy="raise")
    contact: Mapped[Contact] = relationship(lazy="raise")


class LinkEvent(Base):
    """What happened to a link: append-only, so that every decision can be explained."""

    __tablename__ = "link_event"
    __table_args__ = (Index("ix_link_event_link", "link_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("identity_link.id"))
    at: Mapped[datetime]
    actor: Mapped[str]  # a user's e-mail, or "groundswell"
    from_state: Mapped[LinkState | None] = mapped_column(enum_text(LinkState))
    to_state: Mapped[LinkState] = mapped_column(enum_text(LinkState))
    note: Mapped[str] = mapped_column(PhraseText, default="")


class FoldKey(Base):
    """A fingerprint by which a repost or a near-duplicate finds the mention it repeats."""

    __tablename__ = "fold_key"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id"))


#: What the queue is narrowed down by: in the index, so that what does not match is passed over
#: without being read.
NARROWED = ("priority", "platform", "label", "lang", "assignee", "snoozed_until")


class Flag(Base):
    """A mention that a person should look at, and where the work on it is.

    `brand_id`, `published_at`, `platform`, `label` and `lang` repeat what the mention says, so that
    the review queue is one walk over one partial index whatever it is narrowed down to: what is
    due first, then by rank, then the older. A trigger of the database keeps `label` and `lang`
    the mention's in the transaction that changes them (migration 0028).
    `version` counts what people changed: who changes an older one is told, and nothing is lost.
    """

    __tablename__ = "flag"
    __table_args__ = (
        UniqueConstraint("mention_id"),
        *(
            Index(
                name,
                *columns,
                *("due_at", "rank", "mention_id"),
                *more,
                sqlite_where=text(f"status = 'open'{where}"),
                postgresql_where=text(f"status = 'open'{where}"),
            )
            for name, columns, more, where in (
                ("ix_flag_queue", ("brand_id",), NARROWED, ""),
                ("ix_flag_queue_all", (), ("brand_id", *NARROWED), ""),
                ("ix_flag_assignee", ("assignee",), (), " AND assignee IS NOT NULL"),
            )
        ),
        Index(
            "ix_flag_fresh",
            "created_at",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_flag_case",
            "mention_id",
            sqlite_where=text("opens_case"),
            postgresql_where=text("opens_case"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    priority: Mapped[Priority] = mapped_column(enum_text(Priority))
    urgency: Mapped[int]  # of the priority; a flag that people closed opens again if it grows
    rank: Mapped[int]  # among those due in the same minute; 0 comes first
    published_at: Mapped[datetime]
    platform: Mapped[str] = mapped_column(String(40), default="", server_default="")
    label: Mapped[str | None] = mapped_column(String(20))
    lang: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(PhraseText)
    status: Mapped[FlagStatus] = mapped_column(enum_text(FlagStatus))
    created_at: Mapped[datetime]  # when it came into the queue: its clock begins
    due_at: Mapped[datetime]  # when a first answer is due by the protocol
    assignee: Mapped[str | None] = mapped_column(String(320))  # a user's e-mail
    snoozed_until: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]  # its clock stopped
    answered_by: Mapped[str | None] = mapped_column(String(320))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    note: Mapped[str] = mapped_column(PhraseText, default="", server_default="")
    #: The protocol's rule asks for a case in the CRM, if the author is a contact.
    opens_case: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    mention: Mapped[Mention] = relationship(lazy="raise")
