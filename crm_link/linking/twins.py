"""The same person in another CRM: what a person's page shows of it, and what people say of it.

Found by the keys that linking keeps of every contact, so that a page shows them at once. A
name alone is not asked for here: of a million contacts too many share one. Nothing is merged;
people see both records, so that nobody is contacted twice by two departments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import upsert
from config.errors import InputError, NotFoundError
from crm_link.contacts.contact_view import get_contact
from crm_link.contacts.joining import join_records
from crm_link.contacts.one_person import Tie, same_people, ties_of
from crm_link.linking.matching_models import RecordVerdict
from crm_link.linking.name_agreement import FAMILY, GIVEN
from crm_link.linking.same_person import FIELDS, FieldLevel, compare, read_record
from crm_link.models import Contact

#: Records that are shown.
MOST_TWINS = 10


@dataclass(frozen=True, slots=True)
class Twin:
    """A record that is, may be or was taken to be of the same person.

    Args:
        contact: The other record.
        shared: Kinds of values that both have: email, phone, handle, account.
        differs: Fields that both have and that do not agree.
        is_same: It counts as the same person's: what must not be done there must not be here.
        decided_by: Who said so, or the contrary; None: by evidence.

    """

    contact: Contact
    shared: Sequence[str]
    differs: Sequence[str]
    is_same: bool
    decided_by: str | None = None

    @property
    def has_other_name(self) -> bool:
        """Whether the names speak against it: a family may share an address."""
        return GIVEN in self.differs or FAMILY in self.differs


def twins_of(session: Session, contact: Contact) -> list[Twin]:
    """Return the records of other CRMs that may be the same person's, the surest first."""
    ties = {
        other if one == contact.id else one: tie
        for (one, other), tie in ties_of(session, [contact.id]).items()
        if tie.verdict is not None or not tie.is_in_one_crm
    }
    together = {one.id for one in same_people(session, [contact.id]).get(contact.id, ())}
    others = session.scalars(
        select(Contact).where(
            any_of(session, Contact.id, ties.keys() | together), Contact.deleted_at.is_(None)
        )
    ).all()
    found = [_twin(contact, one, ties.get(one.id, Tie()), together) for one in others]
    found.sort(
        key=lambda twin: (
            not twin.is_same,
            -len(twin.shared),
            len(twin.differs),
            twin.contact.id,
        )
    )
    return found[:MOST_TWINS]


def decide_same(
    session: Session, contact_id: int, other_id: int, *, is_same: bool, by: str, now: datetime
) -> None:
    """Say that two records are one person's, or are not; it goes before all evidence.

    Raises:
        InputError: It is one record.
        NotFoundError: There is no such contact.

    """
    if contact_id == other_id:
        raise InputError("a record is always the same person's as itself")
    for one in (contact_id, other_id):
        get_contact(session, one)
    first, second = sorted((contact_id, other_id))
    row = {
        "contact_id": first,
        "other_id": second,
        "is_same": is_same,
        "decided_by": by,
        "decided_at": now,
    }
    upsert(
        session,
        RecordVerdict,
        [row],
        key=["contact_id", "other_id"],
        update_columns=["is_same", "decided_by", "decided_at"],
    )
    join_records(session, [contact_id, other_id], now=now)


def undecide_same(session: Session, contact_id: int, other_id: int, *, now: datetime) -> None:
    """Take back what a person said of two records: the evidence counts again.

    Raises:
        NotFoundError: Nobody said anything of them.

    """
    first, second = sorted((contact_id, other_id))
    found = session.execute(
        delete(RecordVerdict)
        .where(RecordVerdict.contact_id == first, RecordVerdict.other_id == second)
        .returning(RecordVerdict.id)
    ).all()
    if not found:
        raise NotFoundError(
            "nothing was decided of the contacts %(contact_id)s and %(other_id)s",
            contact_id=contact_id,
            other_id=other_id,
        )
    join_records(session, [contact_id, other_id], now=now)


def _twin(contact: Contact, other: Contact, tie: Tie, together: set[int]) -> Twin:
    return Twin(
        contact=other,
        shared=sorted(tie.shared),
        differs=[*tie.differs, *_places_that_differ(contact, other)],
        is_same=other.id in together,
        decided_by=tie.verdict.decided_by if tie.verdict else None,
    )


def _places_that_differ(one: Contact, other: Contact) -> list[str]:
    mine, theirs = _places(one), _places(other)
    levels = compare(read_record(str(one.id), mine), read_record(str(other.id), theirs))
    return [
        name for name, level in zip(FIELDS, levels, strict=True) if level == FieldLevel.DIFFERENT
    ]


def _places(contact: Contact) -> dict[str, str | None]:
    return {"city": _text(contact, "city"), "region": _text(contact, "region")}


def _text(contact: Contact, name: str) -> str | None:
    value = contact.fields.get(name)
    return value if isinstance(value, str) else None
