"""Writing down which records are one person's, and what follows from it.

A contact that comes or changes is marked in the transaction that changes it; this finds its
person anew soon after, before anything is written to a CRM. What the others of a person say
(do not contact, an opt-out, a withdrawn consent) then holds for each of their records.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.any_of import any_of
from config.bulk import update_rows
from config.clock import Clock, utc_now
from config.db import is_sqlite, read_session
from config.settings import Settings, read_settings
from crm_link.contacts.one_person import people_around
from crm_link.context import LinkContext, load_context
from crm_link.crm import crms_in
from crm_link.enrich import queue_enrichment
from crm_link.linking.due import AnyRow, mark_due
from crm_link.models import Contact
from crm_link.opt_outs import keep_opt_outs

#: Any number: the PostgreSQL advisory lock under which one process at a time writes people down.
_JOIN_LOCK = 731_006

_DONE = (
    update(Contact)
    .where(Contact.id == bindparam("b_id"), Contact.person_due_at == bindparam("b_due_at"))
    .values(person_due_at=None)
)

#: Contacts whose people are found in one transaction, and at most in one look.
_BATCH = 500
MOST_AT_ONCE = 5_000


def has_several_crms(session: Session, crm: str) -> bool:
    """Say whether a contact of `crm` may be a person whom another CRM has too."""
    if len(crms_in(read_settings(Settings).crm)) > 1:
        return True
    before, after = exists().where(Contact.crm < crm), exists().where(Contact.crm > crm)
    return bool(session.scalar(select(before | after)))


def join_due(
    sessions: sessionmaker[Session],
    *,
    clock: Clock = utc_now,
    limit: int = MOST_AT_ONCE,
    context: LinkContext | None = None,
) -> int:
    """Find the people of contacts that came or changed anew; return how many contacts."""
    done = 0
    while done < limit:
        now = clock()
        with read_session(sessions) as session:
            due = session.scalars(
                select(Contact.id)
                .where(Contact.person_due_at <= now)
                .order_by(Contact.person_due_at, Contact.id)
                .limit(min(_BATCH, limit - done))
            ).all()
        if not due:
            break
        with sessions.begin() as session:
            join_records(session, due, now=now, context=context)
        done += len(due)
    return done


def mark_records(session: Session, contact_ids: Collection[int], now: datetime) -> None:
    """Let the people of these contacts be found anew."""
    session.execute(
        update(Contact).where(any_of(session, Contact.id, contact_ids)).values(person_due_at=now)
    )


def join_records(
    session: Session,
    contact_ids: Collection[int],
    *,
    now: datetime,
    context: LinkContext | None = None,
) -> None:
    """Write down whose records these contacts and those around them are.

    What the records say of a person is queued anew, and who is linked to them is looked at again.
    """
    asked = set(contact_ids)
    if not is_sqlite(session):
        # One at a time: what the slower one read would be older than what the faster one wrote.
        session.execute(select(func.pg_advisory_xact_lock(_JOIN_LOCK)))
    marks = session.execute(
        select(Contact.id.label("b_id"), Contact.person_due_at.label("b_due_at")).where(
            any_of(session, Contact.id, asked), Contact.person_due_at.is_not(None)
        )
    ).mappings()
    seen = [dict(mark) for mark in marks]
    groups = people_around(session, asked)
    person_of = {one: min(group) if len(group) > 1 else None for group in groups for one in group}
    held = session.execute(
        select(
            Contact.id, Contact.crm, Contact.external_id, Contact.person_id, Contact.deleted_at
        ).where(any_of(session, Contact.id, person_of))
    ).all()
    moved = {row.id for row in held if row.person_id != person_of[row.id]}
    people = [group for group in groups if len(group) > 1 and group & (asked | moved)]
    beside = frozenset().union(*people)
    context = context or load_context()
    if heirs := _heirs(held):
        keep_opt_outs(session, heirs, now=now, context=context)
    # Authors are locked before contacts, as linking locks them.
    mark_due(session, keys=(), contact_ids=moved | beside, now=now, context=context)
    session.execute(
        select(Contact.id)
        .where(any_of(session, Contact.id, moved | beside | asked))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
    ).all()
    changes: list[dict[str, Any]] = [
        {"id": one, "person_id": person_of[one]} for one in sorted(moved)
    ]
    update_rows(session, Contact, changes)
    if seen:
        # A mark that came meanwhile stays: what it is about was not read yet.
        session.connection().execute(_DONE, seen)
    queue_enrichment(session, moved | beside, now=now)


def _heirs(held: Sequence[AnyRow]) -> dict[str, list[str]]:
    """Return the other records of the people of records that are gone, as `crm:external id`."""
    return {
        f"{gone.crm}:{gone.external_id}": [
            f"{one.crm}:{one.external_id}"
            for one in held
            if one.person_id == gone.person_id and one.deleted_at is None
        ]
        for gone in held
        if gone.deleted_at is not None and gone.person_id is not None
    }
