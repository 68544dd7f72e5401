"""The same person in another CRM: records that share an address, a number or an account.

Found by the keys that linking keeps of every contact, so that a page shows them at once. A
name alone is not asked for here: of a million contacts too many share one. Nothing is merged;
people see both records, so that nobody is contacted twice by two departments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crm_link.keys import KeyKind
from crm_link.levels import split_name
from crm_link.models import Contact, ContactKey
from crm_link.name_levels import NameLevel, name_level
from crm_link.person_names import PersonName
from crm_link.same_person import FIELDS, FieldLevel, compare, read_record

#: A value that more contacts than this share (a switchboard) says nothing.
MOST_SHARED = 20

#: Records that are shown.
MOST_TWINS = 10

#: Names of the two parts of a name among what differs.
GIVEN, FAMILY = "given", "family"

#: Levels at which two names are one person's.
_SAME_NAME = frozenset(
    {NameLevel.FULL, NameLevel.NICK, NameLevel.FUZZY, NameLevel.INITIAL, NameLevel.FAMILY}
)
_OTHER_GIVEN = frozenset({NameLevel.CONFLICT, NameLevel.OTHER})

_KINDS = (KeyKind.EMAIL.value, KeyKind.PHONE.value, KeyKind.HANDLE.value)


@dataclass(frozen=True, slots=True)
class Twin:
    """A record that may be of the same person.

    Args:
        contact: The other record.
        shared: Kinds of values that both have: email, phone, handle.
        differs: Fields that both have and that do not agree.

    """

    contact: Contact
    shared: Sequence[str]
    differs: Sequence[str]

    @property
    def has_other_name(self) -> bool:
        """Whether the names speak against it: a family may share an address."""
        return GIVEN in self.differs or FAMILY in self.differs


def twins_of(session: Session, contact: Contact) -> list[Twin]:
    """Return the records of other CRMs that share a key with this one, most in common first."""
    mine, theirs = aliased(ContactKey), aliased(ContactKey)
    rows = session.execute(
        select(theirs.contact_id, theirs.kind, theirs.value)
        .join(mine, (mine.kind == theirs.kind) & (mine.value == theirs.value))
        .where(
            mine.contact_id == contact.id,
            mine.kind.in_(_KINDS),
            theirs.contact_id != contact.id,
        )
        .limit(MOST_SHARED * len(_KINDS) * MOST_TWINS)
    ).all()
    by_value: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        by_value.setdefault((row.kind, row.value), set()).add(row.contact_id)
    shared: dict[int, set[str]] = {}
    for (kind, _), ids in by_value.items():
        if len(ids) < MOST_SHARED:
            for contact_id in ids:
                shared.setdefault(contact_id, set()).add(kind)
    others = session.scalars(
        select(Contact).where(
            Contact.id.in_(shared), Contact.crm != contact.crm, Contact.deleted_at.is_(None)
        )
    ).all()
    found = [
        Twin(other, sorted(shared[other.id]), _differences(contact, other)) for other in others
    ]
    found.sort(key=lambda twin: (-len(twin.shared), len(twin.differs), twin.contact.id))
    return found[:MOST_TWINS]


def _differences(one: Contact, other: Contact) -> list[str]:
    mine, theirs = _places(one), _places(other)
    levels = compare(read_record(str(one.id), mine), read_record(str(other.id), theirs))
    places = [
        name for name, level in zip(FIELDS, levels, strict=True) if level == FieldLevel.DIFFERENT
    ]
    return [*_names_that_differ(one, other), *places]


def _names_that_differ(one: Contact, other: Contact) -> tuple[str, ...]:
    """Compare the names as linking compares an author's with a contact's, either way round."""
    mine = split_name(one.name, one.family_name or "")
    theirs = split_name(other.name, other.family_name or "")
    if not mine.given or not theirs.given:
        return ()
    levels = {name_level(_Written(theirs), mine)[0], name_level(_Written(mine), theirs)[0]}
    if levels & _SAME_NAME:
        return ()
    if levels & _OTHER_GIVEN:
        return (GIVEN,)
    return (FAMILY,) if NameLevel.GIVEN in levels else (GIVEN, FAMILY)


def _places(contact: Contact) -> dict[str, str | None]:
    return {"city": _text(contact, "city"), "region": _text(contact, "region")}


def _text(contact: Contact, name: str) -> str | None:
    value = contact.fields.get(name)
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Written:
    """A contact's name as something that shows a name: there is no handle and no bio."""

    name: PersonName
    stem: str = ""
    handle_words: tuple[str, ...] = ()
    bio_pairs: frozenset[tuple[str, str]] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.name.given, *self.name.family)

    @property
    def is_without_vowels(self) -> bool:
        return self.name.is_without_vowels
