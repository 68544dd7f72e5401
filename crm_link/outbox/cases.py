"""Cases and notes in the CRMs: one for each complaint or incident, in one CRM only.

A person may be a contact in several CRMs. The record goes to the first of `GROUNDSWELL_CRM` that
can have it, and none is opened while the same person, found by what linking knows of contacts,
has an open one of the same kind in another CRM: two departments would answer one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, literal_column, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new, update_rows
from config.settings import Settings, read_settings
from crm_link.contacts.one_person import hold_person
from crm_link.crm import crms_in, kinds_of
from crm_link.escalation.models import Incident
from crm_link.linking.due import AnyRow
from crm_link.models import Contact, CrmCase, Flag, IdentityLink, WriteBack
from crm_link.outbox.addresses import make_address
from crm_link.outbox.case_grounds import Ground, flag_grounds, incident_grounds
from crm_link.outbox.outbox_rows import Wanted
from crm_link.types import CASE_FIELDS, NOTE_FIELDS, LinkState, RecordKind

#: What stands first in the record of somebody who must not be contacted.
DO_NOT_CONTACT = (
    "DO NOT CONTACT: so says the CRM. Answer the complaint where it stands, and nothing else."
)

_FIELDS = {RecordKind.CASE: CASE_FIELDS, RecordKind.NOTE: NOTE_FIELDS}


def wanted_cases(session: Session, contact_ids: Sequence[int], *, now: datetime) -> list[Wanted]:
    """Return what the cases and notes of these contacts should say, after opening new ones.

    A record whose reason is gone is closed; one whose author is not held to be that contact any
    more is taken away.
    """
    known = list(
        session.scalars(
            select(CrmCase)
            .where(any_of(session, CrmCase.contact_id, list(contact_ids)))
            .order_by(CrmCase.id)
        )
    )
    if not known and not _may_be_any(session):
        return []
    people = _people(session, contact_ids)
    grounds = _first_of_each(
        [
            *flag_grounds(session, people),
            *incident_grounds(session, people, known),
        ]
    )
    stored = {(one.kind, one.key): one for one in [*known, *_of_grounds(session, grounds)]}
    _open(session, [one for one in grounds if (one.kind, one.key) not in stored], people, now)
    stored |= {(one.kind, one.key): one for one in _of_grounds(session, grounds)}
    by_key = {(one.kind, one.key): one for one in grounds}
    contacts = {one.id: one for rows in people.values() for one in rows}
    merged = _of_gone_contacts(session, list(stored.values()))
    wanted: list[Wanted] = []
    changed: list[dict[str, Any]] = []
    for key, case in stored.items():
        ground = by_key.get(key)
        is_theirs = case.contact_id in {one.id for one in people.get(case.author_id, ())}
        is_open = is_theirs and ground is not None and ground.is_open
        if is_open != case.is_open:
            at = None if is_open else now
            changed.append({"id": case.id, "is_open": is_open, "closed_at": at})
        if not is_theirs:
            fields = None if case.id in merged else dict.fromkeys(_FIELDS[case.kind])
        elif ground is None:
            fields = _closed(session, case)
        else:
            fields = _fields(case, ground, contacts[case.contact_id])
        if fields is not None:
            address = make_address(case.kind, case.key)
            wanted.append(Wanted(case.crm, address, case.contact_id, fields))
    update_rows(session, CrmCase, changed)
    return wanted


def _may_be_any(session: Session) -> bool:
    """Say whether anything asks for a case: most installations have none, and pay nothing."""
    is_case = Flag.opens_case == literal_column("true")
    return bool(
        session.scalar(
            select(exists().where(is_case) | exists().where(Incident.open_key.is_not(None)))
        )
    )


def _people(session: Session, contact_ids: Sequence[int]) -> dict[int, list[AnyRow]]:
    """Return the contacts, in all CRMs, of the authors of these contacts."""
    authors = select(IdentityLink.author_id).where(
        any_of(session, IdentityLink.contact_id, list(contact_ids)),
        IdentityLink.state == LinkState.CONFIRMED,
    )
    found: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(
        select(
            IdentityLink.author_id,
            Contact.id,
            Contact.crm,
            Contact.external_id,
            Contact.must_not_contact,
        )
        .join(Contact, Contact.id == IdentityLink.contact_id)
        .where(
            IdentityLink.author_id.in_(authors),
            IdentityLink.state == LinkState.CONFIRMED,
            Contact.deleted_at.is_(None),
        )
        .order_by(IdentityLink.author_id, Contact.id)
    ):
        found[row.author_id].append(row)
    return found


def _first_of_each(grounds: Sequence[Ground]) -> list[Ground]:
    """Return one ground for each record: a flagged complaint of an incident is one complaint."""
    found: dict[tuple[RecordKind, str], Ground] = {}
    for one in grounds:
        before = found.get((one.kind, one.key))
        if before is None or (one.is_open and not before.is_open):
            found[one.kind, one.key] = one
    return list(found.values())


def _of_grounds(session: Session, grounds: Sequence[Ground]) -> Sequence[CrmCase]:
    keys = sorted({one.key for one in grounds})
    query = select(CrmCase).where(any_of(session, CrmCase.key, keys)).order_by(CrmCase.id)
    return session.scalars(query).all() if keys else []


def _open(
    session: Session,
    grounds: Sequence[Ground],
    people: Mapping[int, Sequence[AnyRow]],
    now: datetime,
) -> None:
    """Open what is not there yet; the database refuses what another worker opened meanwhile.

    Each person is held before it is asked whether another CRM serves them: of two workers at
    two of their records, the second one sees what the first one opened.
    """
    order = {name: place for place, name in enumerate(crms_in(read_settings(Settings).crm))}
    rows: list[dict[str, Any]] = []
    for one in grounds:
        able = [
            contact
            for contact in people.get(one.author_id, ())
            if contact.crm in order and one.kind in kinds_of(contact.crm)
        ]
        if not able or not one.is_open:
            continue
        home = min(able, key=lambda contact: (order[contact.crm], contact.id))
        if _is_served_elsewhere(session, home, one.kind):
            continue
        rows.append(
            {
                "kind": one.kind,
                "key": one.key,
                "crm": home.crm,
                "contact_id": home.id,
                "author_id": one.author_id,
                "mention_id": one.mention_id,
                "incident_id": one.incident_id,
                "is_open": True,
                "opened_at": now,
                "closed_at": None,
            }
        )
    insert_new(session, CrmCase, rows, key=["kind", "key"])


def _is_served_elsewhere(session: Session, home: AnyRow, kind: RecordKind) -> bool:
    """Say whether the same person has an open record in another CRM."""
    same = hold_person(session, home.id)
    query = select(CrmCase.id).where(
        any_of(session, CrmCase.contact_id, same),
        CrmCase.crm != home.crm,
        CrmCase.kind == kind,
        CrmCase.is_open,
    )
    return len(same) > 1 and session.scalar(query.limit(1)) is not None


def _fields(case: CrmCase, ground: Ground, contact: AnyRow) -> dict[str, Any]:
    body = f"{DO_NOT_CONTACT}\n{ground.body}" if contact.must_not_contact else ground.body
    fields = {"subject": ground.subject, "body": body, "contact": contact.external_id}
    if case.kind is RecordKind.NOTE:
        return fields
    state = "open" if ground.is_open else "closed"
    return {**fields, "priority": ground.priority, "state": state}


def _closed(session: Session, case: CrmCase) -> dict[str, Any] | None:
    """Return what a case says whose reason is gone: what it said, and closed."""
    said = session.scalar(
        select(WriteBack.fields).where(
            WriteBack.crm == case.crm,
            WriteBack.external_id == make_address(case.kind, case.key),
        )
    )
    if said is None or case.kind is RecordKind.NOTE:
        return None
    return {**said, "state": "closed"}


def _of_gone_contacts(session: Session, cases: Sequence[CrmCase]) -> set[int]:
    """Return the cases whose contact was deleted or merged in the CRM: it knows where they go.

    An erased person has no links any more, not even withdrawn ones.
    """
    return set(
        session.scalars(
            select(CrmCase.id)
            .join(Contact, Contact.id == CrmCase.contact_id)
            .join(
                IdentityLink,
                (IdentityLink.contact_id == CrmCase.contact_id)
                & (IdentityLink.author_id == CrmCase.author_id),
            )
            .where(CrmCase.id.in_([one.id for one in cases]), Contact.deleted_at.is_not(None))
        )
    )
