"""Rows of the outbox to the CRMs: one for each record, the latest wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new, update_rows
from crm_link.linking.due import AnyRow
from crm_link.models import DeliveryStatus, WriteBack


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a record of a CRM should say.

    Args:
        crm: The CRM's name.
        address: The record: a contact's id, or as `crm_link.outbox.addresses` writes it.
        contact_id: The contact that it is of.
        fields: What it should say; all None takes it away.

    """

    crm: str
    address: str
    contact_id: int
    fields: Mapping[str, Any]


def queue_records(session: Session, wanted: Sequence[Wanted], *, now: datetime) -> int:
    """Queue what differs from what was last queued; return how many records that are.

    A record that never said anything is not written to say nothing.
    """
    stored = _stored(session, wanted)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one in wanted:
        before = stored.get((one.crm, one.address))
        if before is None:
            if any(value is not None for value in one.fields.values()):
                new.append(_new_row(one, now))
        elif before.fields != one.fields:
            changed.append(_changed_row(before, one.fields, now))
    insert_new(session, WriteBack, new, key=["crm", "external_id"])
    update_rows(session, WriteBack, changed)
    return len(new) + len(changed)


def _stored(session: Session, wanted: Iterable[Wanted]) -> dict[tuple[str, str], AnyRow]:
    """Return the rows that are there, found by the index on CRM and record, and hold them."""
    by_crm: dict[str, list[str]] = defaultdict(list)
    for one in wanted:
        by_crm[one.crm].append(one.address)
    conditions = [
        (WriteBack.crm == crm) & any_of(session, WriteBack.external_id, addresses)
        for crm, addresses in by_crm.items()
    ]
    rows = session.execute(
        select(
            WriteBack.id,
            WriteBack.crm,
            WriteBack.external_id,
            WriteBack.fields,
            WriteBack.version,
            WriteBack.status,
            WriteBack.attempts,
            WriteBack.next_attempt_at,
        )
        .where(or_(false(), *conditions))
        .order_by(WriteBack.id)  # as whoever records what was sent locks them
        .with_for_update()
    )
    return {(row.crm, row.external_id): row for row in rows}


def _new_row(wanted: Wanted, now: datetime) -> dict[str, Any]:
    return {
        "crm": wanted.crm,
        "external_id": wanted.address,
        "contact_id": wanted.contact_id,
        "fields": dict(wanted.fields),
        "version": 1,
        "sent_version": 0,
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "next_attempt_at": now,
        "created_at": now,
    }


def _changed_row(before: AnyRow, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the row with the later fields.

    One that is being sent stays so: who sends it sees the higher version and sends again.
    One that waits after a failure keeps waiting; a dead one gets another life.
    """
    is_waiting = before.status in {DeliveryStatus.SENDING, DeliveryStatus.PENDING}
    return {
        "id": before.id,
        "fields": dict(fields),
        "version": before.version + 1,
        "status": before.status if is_waiting else DeliveryStatus.PENDING,
        "attempts": before.attempts if is_waiting else 0,
        "next_attempt_at": before.next_attempt_at if is_waiting else now,
    }
