"""Clearing our fields in the CRMs for a person who is erased, through the outbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows
from config.clock import Clock
from config.db import in_transaction, read_session
from config.errors import TransientError
from config.phrases import nphrase
from crm_link.crm import Crm
from crm_link.models import Contact, CrmCase, CrmJournalEntry, DeliveryStatus, WriteBack
from crm_link.outbox.addresses import make_address
from crm_link.outbox.journal import GONE, latest_entries
from crm_link.privacy.receipts import Receipt, receipt
from crm_link.privacy.rows import Counts
from crm_link.writeback import deliver_write_backs

#: How much earlier than everything else the rows of an erasure leave the outbox.
_FIRST = timedelta(days=365)

#: Batches that are sent before an erasure gives way to others.
_MOST_ROUNDS = 20


def clear_records(
    sessions: sessionmaker[Session],
    contact_ids: Sequence[int],
    crms: Callable[[str], Crm],
    *,
    clock: Clock,
) -> list[Receipt]:
    """Send what the outbox holds for these contacts; return one receipt for each CRM.

    Raises:
        TransientError: A CRM did not take all of it yet; the message names it.
        AppError: A CRM's settings are wrong.

    """
    receipts = []
    with read_session(sessions) as session:
        names = session.scalars(
            select(WriteBack.crm)
            .where(any_of(session, WriteBack.contact_id, contact_ids))
            .distinct()
            .order_by(WriteBack.crm)
        ).all()
    for name in names:
        rows = _waiting(sessions, name, contact_ids, clock())
        if rows:
            crm = crms(name)
            try:
                for _ in range(_MOST_ROUNDS):
                    sent = deliver_write_backs(sessions, crm, name=name, clock=clock)
                    if not sent or not _open_rows(sessions, name, contact_ids):
                        break
            finally:
                crm.close()
        if left := _open_rows(sessions, name, contact_ids):
            raise TransientError(
                nphrase(
                    "%(name)s has not taken %(num)s record yet",
                    "%(name)s has not taken %(num)s records yet",
                    left,
                    name=name,
                )
            )
        receipts.append(_receipt(sessions, name, contact_ids))
    return receipts


def drop_cases(
    sessions: sessionmaker[Session], author_ids: Sequence[int], contact_ids: Sequence[int]
) -> list[Receipt]:
    """Forget the cases and notes of these people; what of them is in a CRM stays there.

    A case is the company's own record of a complaint, which its people work with. What has not
    left yet does not leave any more.
    """

    def drop(session: Session) -> list[Receipt]:
        found = Counts()
        mine = any_of(session, CrmCase.author_id, author_ids) | any_of(
            session, CrmCase.contact_id, contact_ids
        )
        for case in session.scalars(select(CrmCase).where(mine).order_by(CrmCase.id)).all():
            address = make_address(case.kind, case.key)
            session.execute(
                delete(WriteBack).where(WriteBack.crm == case.crm, WriteBack.external_id == address)
            )
            session.execute(
                delete(CrmJournalEntry).where(
                    CrmJournalEntry.crm == case.crm, CrmJournalEntry.external_id == address
                )
            )
            found[case.crm] += 1
            session.delete(case)
        detail = "the company's own records of what they wrote: look at them yourselves"
        return [
            receipt(f"CRM {crm}", "cases and notes", "yours", count, detail)
            for crm, count in sorted(found.items())
        ]

    return in_transaction(sessions, drop)


def erase_records(
    sessions: sessionmaker[Session],
    contact_ids: Sequence[int],
    crms: Callable[[str], Crm],
    now: datetime,
) -> tuple[Counts, list[Receipt]]:
    """Erase outbox, journal and ids of erased contacts; return rows by table, and receipts."""
    receipts: list[Receipt] = []
    by_crm: dict[str, list[str]] = defaultdict(list)
    with read_session(sessions) as session:
        for row in session.execute(
            select(WriteBack.crm, WriteBack.external_id).where(
                any_of(session, WriteBack.contact_id, contact_ids)
            )
        ):
            by_crm[row.crm].append(row.external_id)
    for name, external_ids in by_crm.items():
        crm = crms(name)
        try:
            removed = crm.forget(external_ids)
        finally:
            crm.close()
        if removed:
            item = "file of enriched contacts"
            receipts.append(receipt("files", item, "erased", removed, f"written for {name}"))
    found = in_transaction(sessions, lambda session: _erase(session, contact_ids, now))
    return found, receipts


def _erase(session: Session, contact_ids: Sequence[int], now: datetime) -> Counts:
    found = Counts()
    own_records = select(Contact.crm, Contact.external_id).where(
        any_of(session, Contact.id, contact_ids)
    )
    # Cases and notes of a contact have entries of their own.
    opened = select(WriteBack.crm, WriteBack.external_id).where(
        any_of(session, WriteBack.contact_id, contact_ids)
    )
    for crm, external_id in session.execute(own_records.union(opened)).all():
        own = session.execute(
            delete(CrmJournalEntry)
            .where(CrmJournalEntry.crm == crm, CrmJournalEntry.external_id == external_id)
            .returning(CrmJournalEntry.id)
        )
        found["crm_journal"] += len(own.all())
    rows = session.execute(
        delete(WriteBack)
        .where(any_of(session, WriteBack.contact_id, contact_ids))
        .returning(WriteBack.id)
    )
    found["write_back"] += len(rows.all())
    cases = session.execute(
        delete(CrmCase)
        .where(any_of(session, CrmCase.contact_id, contact_ids))
        .returning(CrmCase.id)
    )
    if gone := len(cases.all()):
        found["crm_case"] += gone
    update_rows(
        session,
        Contact,
        [{"id": one, "external_id": f"erased:{one}", "updated_at": now} for one in contact_ids],
    )
    return found


def _waiting(
    sessions: sessionmaker[Session], crm: str, contact_ids: Sequence[int], now: datetime
) -> int:
    """Put what waits, and what was given up, first in the outbox; return how many wait."""

    def hurry(session: Session) -> None:
        session.execute(
            update(WriteBack)
            .where(
                WriteBack.crm == crm,
                any_of(session, WriteBack.contact_id, contact_ids),
                WriteBack.status.in_([DeliveryStatus.PENDING, DeliveryStatus.DEAD]),
                (WriteBack.last_error != GONE) | WriteBack.last_error.is_(None),
            )
            .values(status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=now - _FIRST)
        )

    in_transaction(sessions, hurry)
    return _open_rows(sessions, crm, contact_ids)


def _open_rows(sessions: sessionmaker[Session], crm: str, contact_ids: Sequence[int]) -> int:
    with read_session(sessions) as session:
        rows = session.execute(
            select(
                WriteBack.status, WriteBack.version, WriteBack.sent_version, WriteBack.last_error
            ).where(WriteBack.crm == crm, any_of(session, WriteBack.contact_id, contact_ids))
        ).all()
    return sum(
        row.last_error != GONE
        and (row.status is not DeliveryStatus.SENT or row.version != row.sent_version)
        for row in rows
    )


def _receipt(sessions: sessionmaker[Session], crm: str, contact_ids: Sequence[int]) -> Receipt:
    with read_session(sessions) as session:
        external_ids = session.scalars(
            select(WriteBack.external_id).where(
                WriteBack.crm == crm, any_of(session, WriteBack.contact_id, contact_ids)
            )
        ).all()
        entries = latest_entries(session, crm, external_ids)
    kept = sorted({name for entry in entries.values() for name in entry.kept})
    detail = "our fields say nothing of the erased accounts any more"
    if kept:
        detail = f"a person changed these fields, so that they stay: {', '.join(kept)}"
    state = "kept" if kept else "cleared"
    return receipt(f"CRM {crm}", "our fields", state, len(external_ids), detail)
