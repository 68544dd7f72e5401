"""The table of erasures: who asked, how far it is, and a receipt for each system."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, enum_text
from config.kept_phrases import PhraseText


class ErasureState(StrEnum):
    """Where an erasure is; each is done before the next begins, and may be done twice."""

    ROWS = "rows"  # nothing is gone yet: rows about the person go next
    CRMS = "crms"  # gone from our tables; the CRMs' fields are being cleared
    TRACES = "traces"  # what the outbox and other people's texts still name
    COMPACTING = "compacting"  # no row names the person; freed pages of the database may
    DONE = "done"


class ErasureRequest(Base):
    """One person's erasure.

    `plan` holds what has to be found to be erased, the person's own names and addresses, and
    is emptied as soon as no other row has them. What stays says nothing of the person.
    """

    __tablename__ = "erasure_request"
    __table_args__ = (
        Index(
            "ix_erasure_request_open",
            "id",
            sqlite_where=text("state <> 'done'"),
            postgresql_where=text("state <> 'done'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))  # for example "author 17, whole person"
    #: Keyed hash of what was asked for, by which asking again finds the receipts.
    subject_hash: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str]  # where the request is on file
    requested_by: Mapped[str]  # a user's e-mail, or "command line"
    requested_at: Mapped[datetime]
    state: Mapped[ErasureState] = mapped_column(enum_text(ErasureState))
    plan: Mapped[dict[str, Any]]
    receipts: Mapped[list[dict[str, Any]]]
    tried_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(PhraseText)
    done_at: Mapped[datetime | None]
