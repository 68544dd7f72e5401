"""Taking back what was written into CRM records, by the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows
from config.clock import Clock, utc_now
from config.db import read_session
from crm_link.crm import Crm
from crm_link.models import CrmJournalEntry
from crm_link.outbox.addresses import read_records, write_records
from crm_link.outbox.journal import (
    arrived,
    begin_entries,
    complete_entries,
    latest_entries,
    plan_write,
)
from crm_link.types import ContactUpdate


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What an undo did: records restored, left alone because a person changed them, failed."""

    restored: int = 0
    kept: int = 0
    failed: int = 0

    def __add__(self, other: UndoResult) -> UndoResult:
        """Return both together."""
        return UndoResult(
            self.restored + other.restored, self.kept + other.kept, self.failed + other.failed
        )


def undo(
    sessions: sessionmaker[Session],
    crm: Crm,
    *,
    name: str,
    since: datetime,
    clock: Clock = utc_now,
    on_progress: Callable[[int], None] | None = None,
) -> UndoResult:
    """Put back what stood in the records before our writes since a time.

    A field that a person has changed meanwhile is left alone. Doing it twice changes nothing.

    Args:
        sessions: The database.
        crm: The CRM.
        name: Its name.
        since: Writes from here on are taken back.
        clock: The present.
        on_progress: Called with the number of records looked at.

    """
    with read_session(sessions) as session:
        touched = session.scalars(
            select(CrmJournalEntry.external_id)
            .where(
                CrmJournalEntry.crm == name,
                CrmJournalEntry.at >= since,
                CrmJournalEntry.undone_at.is_(None),
                CrmJournalEntry.is_undo.is_(False),
            )
            .distinct()
            .order_by(CrmJournalEntry.external_id)
        ).all()
    total = UndoResult()
    for start in range(0, len(touched), crm.batch_size):
        part = touched[start : start + crm.batch_size]
        total += _undo_batch(sessions, crm, name, part, since, clock)
        if on_progress is not None:
            on_progress(start + len(part))
    return total


def _undo_batch(
    sessions: sessionmaker[Session],
    crm: Crm,
    name: str,
    external_ids: Sequence[str],
    since: datetime,
    clock: Clock,
) -> UndoResult:
    there = read_records(crm, external_ids) or {}
    with sessions.begin() as session:
        last = latest_entries(session, name, external_ids)
        wanted = _what_stood_before(session, name, external_ids, since)
        plans = [
            plan_write(
                ContactUpdate(one, fields, f"undo:{last[one].id}"), there.get(one, {}), last[one]
            )
            for one, fields in wanted.items()
        ]
        complete_entries(session, arrived(last, there), now=clock())
        entries = begin_entries(session, name, plans, now=clock(), is_undo=True)
    updates = [
        ContactUpdate(plan.external_id, plan.fields, f"undo:{entries[plan.external_id]}")
        for plan in plans
        if plan.fields
    ]
    results = write_records(crm, updates) if updates else []
    failed = {result.external_id for result in results if result.error is not None}
    with sessions.begin() as session:
        done = [entry for one, entry in entries.items() if one not in failed]
        complete_entries(session, done, now=clock())
        _mark_undone(session, name, [one for one in wanted if one not in failed], since, clock())
    kept = sum(1 for plan in plans if plan.kept)
    return UndoResult(len(updates) - len(failed), kept, len(failed))


def _what_stood_before(
    session: Session, crm: str, external_ids: Sequence[str], since: datetime
) -> dict[str, dict[str, Any]]:
    """Return each record's fields as they were before the first of its writes since a time."""
    rows = session.scalars(
        select(CrmJournalEntry)
        .where(
            CrmJournalEntry.crm == crm,
            any_of(session, CrmJournalEntry.external_id, list(external_ids)),
            CrmJournalEntry.at >= since,
            CrmJournalEntry.undone_at.is_(None),
            CrmJournalEntry.is_undo.is_(False),
        )
        .order_by(CrmJournalEntry.id.desc())
    )
    wanted: dict[str, dict[str, Any]] = {}
    for row in rows:
        # The oldest comes last, and what it found is what stood there.
        wanted.setdefault(row.external_id, {}).update(row.before)
    return wanted


def _mark_undone(
    session: Session, crm: str, external_ids: Sequence[str], since: datetime, now: datetime
) -> None:
    ids = session.scalars(
        select(CrmJournalEntry.id).where(
            CrmJournalEntry.crm == crm,
            any_of(session, CrmJournalEntry.external_id, list(external_ids)),
            CrmJournalEntry.at >= since,
            CrmJournalEntry.undone_at.is_(None),
        )
    ).all()
    update_rows(session, CrmJournalEntry, [{"id": one, "undone_at": now} for one in sorted(ids)])
