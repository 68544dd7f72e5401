"""The journal of write-backs: what stood in a record, what we wrote, and how to take it back.

An entry is stored before the CRM is called and completed afterwards. An entry that was never
completed (the process was killed, the CRM did not answer) says that the record holds either
what stood there or what we wrote; the next write finds out which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows
from config.clock import Clock
from config.errors import TransientError
from crm_link.calls.crm_fields import is_same
from crm_link.crm import Crm
from crm_link.models import CrmJournalEntry
from crm_link.outbox.addresses import parse_address, read_records, write_records
from crm_link.types import ContactUpdate, WriteResult

Fields = Mapping[str, Any]

#: The error of a record that is not there.
GONE = "the CRM has no such contact any more"


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done to one record.

    Args:
        external_id: The record.
        fields: The fields to write, none where nothing differs.
        before: What stands in these fields now.
        kept: Fields that a person has changed since we wrote them: left alone.
        ours: What we wrote into the record before.

    """

    external_id: str
    fields: Fields
    before: Fields
    kept: tuple[str, ...]
    ours: Fields


def plan_write(update: ContactUpdate, there: Fields, last: CrmJournalEntry | None) -> Planned:
    """Return what of an update may be written over what stands in the record. Pure.

    A field is ours to write where it is empty, or holds what we last wrote. Anything else a
    person wrote, and it stays.

    Args:
        update: What the record should say.
        there: Our fields as they stand in the record.
        last: The newest entry of this record.

    """
    ours = _ours(there, last)
    fields: dict[str, Any] = {}
    kept: list[str] = []
    for name, value in update.fields.items():
        now = there.get(name)
        if is_same(now, value):
            continue
        if is_same(now, ours.get(name)):
            fields[name] = value
        else:
            kept.append(name)
    if kept and parse_address(update.external_id) and not any(update.fields.values()):
        fields = {}  # a case that a person worked on is not taken away
    before = {name: there.get(name) for name in fields}
    return Planned(update.external_id, fields, before, tuple(kept), ours)


def _ours(there: Fields, last: CrmJournalEntry | None) -> Fields:
    """Return what we wrote into a record, field by field; what never arrived is not in it."""
    if last is None:
        return {}
    if last.done_at is not None or _has_arrived(last, there):
        return last.after
    lost = {name: was for name, was in last.before.items() if is_same(there.get(name), was)}
    return last.after | lost


def latest_entries(
    session: Session, crm: str, external_ids: Sequence[str]
) -> dict[str, CrmJournalEntry]:
    """Return the newest entry of each record that has one."""
    newest = (
        select(func.max(CrmJournalEntry.id))
        .where(
            CrmJournalEntry.crm == crm,
            any_of(session, CrmJournalEntry.external_id, list(external_ids)),
        )
        .group_by(CrmJournalEntry.external_id)
    )
    rows = session.scalars(select(CrmJournalEntry).where(CrmJournalEntry.id.in_(newest)))
    return {row.external_id: row for row in rows}


def begin_entries(
    session: Session,
    crm: str,
    plans: Iterable[Planned],
    *,
    now: datetime,
    is_undo: bool = False,
) -> dict[str, int]:
    """Store the entries of what is about to be written; return their ids by record.

    `after` repeats what we wrote into the other fields earlier, so that one entry says what of
    a record is ours.
    """
    entries: dict[str, CrmJournalEntry] = {}
    for plan in plans:
        if not plan.fields:
            continue
        entries[plan.external_id] = CrmJournalEntry(
            crm=crm,
            external_id=plan.external_id,
            before=dict(plan.before),
            after=dict(plan.ours) | dict(plan.fields),
            kept=list(plan.kept),
            is_undo=is_undo,
            at=now,
        )
    session.add_all(entries.values())
    session.flush()
    return {external_id: entry.id for external_id, entry in entries.items()}


def complete_entries(session: Session, entry_ids: Iterable[int], *, now: datetime) -> None:
    """Say that what these entries hold stands in the CRM."""
    update_rows(
        session, CrmJournalEntry, [{"id": one, "done_at": now} for one in sorted(entry_ids)]
    )


def write_with_journal(
    sessions: sessionmaker[Session],
    crm: Crm,
    name: str,
    updates: Sequence[ContactUpdate],
    *,
    clock: Clock,
    write_until: datetime | None = None,
) -> list[WriteResult]:
    """Write what differs and is ours, with entries; return one result for each update, in order.

    Args:
        sessions: The database.
        crm: The CRM.
        name: Its name.
        updates: What the records should say, one update for a record.
        clock: The present.
        write_until: From here on nothing is sent any more: somebody else may be at it.

    Raises:
        TransientError, PermanentError, InputError, BudgetExhaustedError: As the CRM raises them;
            the entries stay incomplete, and the next write looks what became of them.

    """
    external_ids = [update.external_id for update in updates]
    there = read_records(crm, external_ids)
    if write_until is not None and clock() >= write_until:
        raise TransientError("the CRM took too long to tell what stands in its records")
    with sessions.begin() as session:
        last = latest_entries(session, name, external_ids)
        if there is None:  # it is written to as it is
            plans = [Planned(one.external_id, one.fields, {}, (), {}) for one in updates]
        else:
            plans = [
                plan_write(one, there[one.external_id], last.get(one.external_id))
                for one in updates
                if one.external_id in there
            ]
            complete_entries(session, arrived(last, there), now=clock())
        entries = begin_entries(session, name, plans, now=clock())
    results = _send(crm, updates, plans)
    with sessions.begin() as session:
        done = [entry for one, entry in entries.items() if results[one].error is None]
        complete_entries(session, done, now=clock())
    return [results[one] for one in external_ids]


def _send(
    crm: Crm, updates: Sequence[ContactUpdate], plans: Sequence[Planned]
) -> dict[str, WriteResult]:
    """Write what is planned; return what became of every update."""
    fields = {plan.external_id: plan.fields for plan in plans}
    sent = [
        ContactUpdate(one.external_id, fields[one.external_id], one.idempotency_key)
        for one in updates
        if fields.get(one.external_id)
    ]
    results = {result.external_id: result for result in (write_records(crm, sent) if sent else [])}
    for one in updates:
        if one.external_id not in fields:
            results[one.external_id] = WriteResult(one.external_id, error=GONE)
        elif not fields[one.external_id]:
            results[one.external_id] = WriteResult(one.external_id)
    silence = "the CRM did not say what became of this record"
    for one in sent:
        missing = WriteResult(one.external_id, error=silence, is_transient=True)
        results.setdefault(one.external_id, missing)
    return results


def arrived(last: Mapping[str, CrmJournalEntry], there: Mapping[str, Fields]) -> list[int]:
    """Return the entries that were not completed, but whose write did arrive."""
    return [
        entry.id
        for external_id, entry in last.items()
        if entry.done_at is None
        and external_id in there
        and _has_arrived(entry, there[external_id])
    ]


def _has_arrived(entry: CrmJournalEntry, there: Fields) -> bool:
    """Say whether a write stands in its record.

    A record is written as a whole: one field that holds what we wrote, and not what stood there
    before, tells it; the others a person may have changed since.
    """
    return any(
        is_same(there.get(name), entry.after[name]) and not is_same(was, entry.after[name])
        for name, was in entry.before.items()
    )


def newest_entries(session: Session, crms: Sequence[str], limit: int) -> Sequence[CrmJournalEntry]:
    """Return the newest entries of some CRMs, newest first."""
    return session.scalars(
        select(CrmJournalEntry)
        .where(CrmJournalEntry.crm.in_(crms))
        .order_by(CrmJournalEntry.id.desc())
        .limit(limit)
    ).all()
