"""How far each CRM is: contacts, the last sync, what waits and what is dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crm_link.models import Contact, CrmCursor, DeliveryStatus, WriteBack


@dataclass(frozen=True, slots=True)
class CrmStatus:
    """One CRM's counts; `last_error` is of a record that waits or is dead, the newest."""

    name: str
    contacts: int
    synced_at: datetime | None
    waiting: int
    dead: int
    last_error: str | None


def crm_status(session: Session, names: Sequence[str]) -> list[CrmStatus]:
    """Return how far the CRMs called `names` are, in their order."""
    contacts = dict(
        session.execute(
            select(Contact.crm, func.count())
            .where(Contact.crm.in_(names), Contact.deleted_at.is_(None))
            .group_by(Contact.crm)
        ).all()
    )
    synced = dict(
        session.execute(
            select(CrmCursor.crm, CrmCursor.updated_at).where(CrmCursor.crm.in_(names))
        ).all()
    )
    is_dead = WriteBack.status == DeliveryStatus.DEAD
    outbox = {
        row.crm: row
        for row in session.execute(
            select(
                WriteBack.crm,
                func.sum(case((is_dead, 0), else_=1)).label("waiting"),
                func.sum(case((is_dead, 1), else_=0)).label("dead"),
                func.max(case((WriteBack.last_error.is_not(None), WriteBack.id))).label("failed"),
            )
            .where(
                WriteBack.crm.in_(names),
                WriteBack.status.in_(
                    [DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.DEAD]
                ),
            )
            .group_by(WriteBack.crm)
        )
    }
    failed = [row.failed for row in outbox.values() if row.failed is not None]
    errors = dict(
        session.execute(
            select(WriteBack.crm, WriteBack.last_error).where(WriteBack.id.in_(failed))
        ).all()
    )
    return [
        CrmStatus(
            name,
            contacts.get(name, 0),
            synced.get(name),
            int(outbox[name].waiting) if name in outbox else 0,
            int(outbox[name].dead) if name in outbox else 0,
            errors.get(name),
        )
        for name in names
    ]
