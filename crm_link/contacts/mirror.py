"""Our mirror of the CRMs' contacts: brought up to date page by page, found by keys.

A page is one transaction: contacts, their keys, the cursor, and the mark on the authors
that share a key with a changed contact, so that linking looks at them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import insert_new, upsert
from config.clock import Clock, utc_now
from config.db import read_session
from crm_link.contacts.joining import has_several_crms
from crm_link.context import LinkContext, load_context
from crm_link.crm import Crm
from crm_link.linking.contact_keys import contact_keys, record_hash, waking_keys
from crm_link.linking.due import mark_due
from crm_link.linking.match_index import load_known, update_index
from crm_link.linking.rebuild import ensure_index
from crm_link.models import Contact, ContactKey, CrmCursor
from crm_link.refusals import erased_records
from crm_link.types import ContactPage, ContactRecord
from listener.lookup import find_by_ids

#: The columns of a contact that come from its record.
_COLUMNS = (
    *(
        "name",
        "family_name",
        "emails",
        "phones",
        "handles",
        "links",
        "country",
        "tier",
        "value",
        "owner",
    ),
    *("relationship_source", "do_not_contact", "fields", "record_hash", "deleted_at"),
    *("updated_at", "person_due_at"),
)

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    Args:
        seen: Contacts that the CRM gave.
        new: Of these, those that we had not.
        changed: Those that are different now.
        deleted: Those that the CRM says are gone.
        rejected: Why a row was not understood, with its place.
        unusable: E-mail addresses and phone numbers that no author can be found by: not
            understood, or a national number without a country. The contact is kept.

    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    rejected: tuple[str, ...] = ()
    unusable: int = 0

    def __add__(self, other: SyncResult) -> SyncResult:
        """Return both together."""
        return SyncResult(
            self.seen + other.seen,
            self.new + other.new,
            self.changed + other.changed,
            self.deleted + other.deleted,
            self.rejected + other.rejected,
            self.unusable + other.unusable,
        )


def import_contacts(
    sessions: sessionmaker[Session],
    path: Path,
    *,
    crm: str = "csv_file",
    mapping: Mapping[str, str] | None = None,
    clock: Clock = utc_now,
    on_progress: Callable[[int], None] | None = None,
    context: LinkContext | None = None,
) -> SyncResult:
    """Bring the contacts of a CSV or TSV file into our mirror of `crm`.

    Doing it twice changes nothing. Contacts that the file has not stay.

    Args:
        sessions: The database.
        path: The file.
        crm: The CRM whose ids the file has: enrichment is written back there.
        mapping: Target to header, see `crm_link.contacts.contact_columns.find_columns`.
        clock: The present.
        on_progress: Called with the number of contacts seen so far.
        context: The hash key and home country; None takes them from the settings.

    Raises:
        InputError: The file cannot be read, or has not the columns that are needed.

    """
    from crm_link.crms.csv_file import CsvFileCrm  # noqa: PLC0415 - a plugin, loaded when used

    pages = CsvFileCrm(path, mapping=mapping).contacts(None)
    return _store_pages(
        sessions, crm, pages, clock, context or load_context(), on_progress, keeps_cursor=False
    )


def sync_contacts(
    sessions: sessionmaker[Session],
    crm: Crm,
    *,
    name: str,
    clock: Clock = utc_now,
    on_progress: Callable[[int], None] | None = None,
    context: LinkContext | None = None,
) -> SyncResult:
    """Bring what changed in the CRM called `name` since the last sync into our mirror.

    The network is never used inside a transaction. After a crash it goes on at the last
    page whose cursor was stored.
    """
    with read_session(sessions) as session:
        cursor = session.scalar(select(CrmCursor.cursor).where(CrmCursor.crm == name))
    return _store_pages(
        sessions,
        name,
        crm.contacts(cursor),
        clock,
        context or load_context(),
        on_progress,
        keeps_cursor=True,
    )


def _store_pages(
    sessions: sessionmaker[Session],
    crm: str,
    pages: Iterable[ContactPage],
    clock: Clock,
    context: LinkContext,
    on_progress: Callable[[int], None] | None,
    *,
    keeps_cursor: bool,
) -> SyncResult:
    ensure_index(sessions, context)
    total = SyncResult()
    for page in pages:
        with sessions.begin() as session:
            total += store_page(session, crm, page, clock(), context)
            if keeps_cursor and page.cursor is not None:
                row = {"crm": crm, "cursor": page.cursor, "updated_at": clock()}
                upsert(
                    session, CrmCursor, [row], key=["crm"], update_columns=["cursor", "updated_at"]
                )
        if on_progress is not None:
            on_progress(total.seen)
    return total


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    record_hash: str
    deleted_at: datetime | None


def store_page(
    session: Session, crm: str, page: ContactPage, now: datetime, context: LinkContext
) -> SyncResult:
    """Bring a page into our mirror; return what it changed."""
    records = {record.external_id: record for record in page.contacts}
    seen = len(records)
    for erased in erased_records(session, crm, records, context):
        del records[erased]
    known = _find(session, crm, records)
    keys: dict[str, set[tuple[str, str]]] = {}
    rows: list[dict[str, Any]] = []
    new = deleted = unusable = 0
    for external_id, record in records.items():
        before = known.get(external_id)
        if record.is_deleted:
            if before is None or before.deleted_at is not None:
                continue
            deleted += 1
            keys[external_id] = set()
            rows.append(_row(crm, record, before.record_hash, now) | {"deleted_at": now})
            continue
        digest = record_hash(record, context.country)
        if before and before.record_hash == digest and before.deleted_at is None:
            continue
        new += before is None
        keys[external_id], missed = contact_keys(record, context.country)
        unusable += missed
        rows.append(_row(crm, record, digest, now))
    if rows:
        _write(session, crm, rows, keys, known, now, context)
    return SyncResult(seen, new, len(rows) - new - deleted, deleted, page.rejected, unusable)


def _write(
    session: Session,
    crm: str,
    rows: Sequence[dict[str, Any]],
    keys: Mapping[str, set[tuple[str, str]]],
    known: Mapping[str, _Known],
    now: datetime,
    context: LinkContext,
) -> None:
    """Write contacts and keys, after marking the authors: authors are locked before contacts."""
    changed = {known[row["external_id"]].id for row in rows if row["external_id"] in known}
    stored = session.execute(
        select(ContactKey.id, ContactKey.contact_id, ContactKey.kind, ContactKey.value).where(
            any_of(session, ContactKey.contact_id, sorted(changed))
        )
    ).all()
    touched = {(key.kind, key.value) for key in stored}.union(*keys.values())
    touched |= waking_keys(row["name"] for row in rows)
    before = load_known(session, changed, context.book)
    mark_due(session, keys=touched, contact_ids=changed, now=now, context=context)
    due_at = now if has_several_crms(session, crm) else None
    rows = [row | {"person_due_at": due_at} for row in rows]
    upsert(session, Contact, rows, key=["crm", "external_id"], update_columns=list(_COLUMNS))
    ids = {
        external_id: found.id
        for external_id, found in _find(session, crm, [row["external_id"] for row in rows]).items()
    }
    update_index(session, before, load_known(session, ids.values(), context.book))
    wanted = {
        (ids[external_id], kind, value)
        for external_id, group in keys.items()
        for kind, value in group
    }
    have = {(key.contact_id, key.kind, key.value): key.id for key in stored}
    gone = sorted(have[key] for key in have.keys() - wanted)
    for start in range(0, len(gone), _CHUNK):
        session.execute(
            delete(ContactKey).where(any_of(session, ContactKey.id, gone[start : start + _CHUNK]))
        )
    insert_new(
        session,
        ContactKey,
        [
            {"contact_id": contact_id, "kind": kind, "value": value}
            for contact_id, kind, value in sorted(wanted - have.keys())
        ],
        key=["kind", "value", "contact_id"],
    )


def _find(session: Session, crm: str, external_ids: Iterable[str]) -> dict[str, _Known]:
    query = select(Contact.external_id, Contact.id, Contact.record_hash, Contact.deleted_at).where(
        Contact.crm == crm
    )
    found: dict[str, _Known] = {}
    wanted = list(external_ids)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        for row in find_by_ids(session, query, Contact.external_id, part):
            found[row["external_id"]] = _Known(row["id"], row["record_hash"], row["deleted_at"])
    return found


def _row(crm: str, record: ContactRecord, digest: str, now: datetime) -> dict[str, Any]:
    return {
        "crm": crm,
        "external_id": record.external_id,
        "name": record.name,
        "family_name": record.family_name or None,
        "emails": list(record.emails),
        "phones": list(record.phones),
        "handles": [f"{platform}:{handle}" for platform, handle in record.handles],
        "links": list(record.links),
        "country": record.country,
        "tier": record.tier,
        "value": record.value,
        "owner": record.owner,
        "relationship_source": record.relationship_source,
        "do_not_contact": record.do_not_contact,
        "fields": dict(record.fields),
        "record_hash": digest,
        "deleted_at": None,
        "first_seen_at": now,
        "updated_at": now,
    }
