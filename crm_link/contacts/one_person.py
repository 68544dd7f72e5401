"""One person, several records: which contacts of several CRMs are the same human being.

What ties two records of different CRMs together is an address, number or account that both
have, or an account that is confirmed to be both; where the names speak against it, it is only
shown. What a person said of two records goes before all evidence. Whatever hangs together, however
far, is one person: nobody is to be contacted twice, or against what they said elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from config.any_of import any_of
from config.db import is_sqlite
from crm_link.linking.due import AnyRow
from crm_link.linking.key_queries import find_contacts
from crm_link.linking.keys import KeyKind
from crm_link.linking.matching_models import RecordVerdict
from crm_link.linking.name_agreement import names_that_differ
from crm_link.models import Contact, ContactKey, IdentityLink
from crm_link.types import LinkState

#: A value that more contacts than this share (a switchboard) says nothing.
MOST_SHARED = 20

#: What two records have in common where one account is confirmed to be both.
LINKED_ACCOUNT = "account"

#: Any number: the first key of the PostgreSQL advisory locks of people.
_PERSON_LOCK = 731_005

_KINDS = (KeyKind.EMAIL.value, KeyKind.PHONE.value, KeyKind.HANDLE.value)

#: Two contacts, the smaller id first.
Pair = tuple[int, int]


@dataclass(slots=True)
class Tie:
    """What speaks for two records being one person's, and what a person said.

    Args:
        shared: Kinds of values that both have: email, phone, handle, account.
        differs: Parts of the name that do not agree.
        verdict: What a person said; None: nobody said anything.

    """

    shared: set[str] = field(default_factory=set)
    differs: tuple[str, ...] = ()
    verdict: RecordVerdict | None = None
    is_in_one_crm: bool = False

    @property
    def is_same(self) -> bool:
        """Whether the two count as one person's."""
        if self.verdict is not None:
            return self.verdict.is_same
        return bool(self.shared) and not self.differs and not self.is_in_one_crm


def people_around(session: Session, contact_ids: Collection[int]) -> list[frozenset[int]]:
    """Return the people that these contacts are, and those they were, each with all records.

    Found anew by evidence and by what people said; nothing is written.
    """
    ties: dict[Pair, Tie] = {}
    seen: set[int] = set()
    new = set(contact_ids)
    while new:
        new |= set(_known_together(session, new))
        new -= seen
        seen |= new
        ties |= ties_of(session, new)
        new = {one for pair, tie in ties.items() if tie.is_same for one in pair} - seen
    return _groups(seen, ties)


def same_people(session: Session, contact_ids: Collection[int]) -> dict[int, list[AnyRow]]:
    """Return the other records of the same person, as they were last found, by contact.

    Rows have `id`, `crm`, `external_id` and `deleted_at`; a contact without any is left out.
    """
    rows = _known_together(session, contact_ids) if contact_ids else {}
    groups: dict[int, list[AnyRow]] = defaultdict(list)
    for row in rows.values():
        groups[row.person_id].append(row)
    asked = set(contact_ids)
    return {
        row.id: [other for other in group if other.id != row.id]
        for group in groups.values()
        for row in group
        if row.id in asked
    }


def with_same(session: Session, contact_ids: Collection[int]) -> set[int]:
    """Return contacts with the other records of the same people, as they were last found."""
    return set(contact_ids) | set(_known_together(session, contact_ids))


def hold_person(session: Session, contact_id: int) -> frozenset[int]:
    """Return all records of a contact's person, and keep other workers from them.

    Until the transaction ends, nobody else gets past here with one of these records. Locked in
    one order, and apart from the contacts' rows, which the caller and others hold already: there
    two would wait for each other. SQLite has one writer, and nothing to lock.
    """
    group = next(one for one in people_around(session, [contact_id]) if contact_id in one)
    if len(group) > 1 and not is_sqlite(session):
        for one in sorted(group):
            session.execute(select(func.pg_advisory_xact_lock(_PERSON_LOCK, one)))
    return group


def ties_of(session: Session, contact_ids: Collection[int]) -> dict[Pair, Tie]:
    """Return what ties these contacts to others, by pair; records that are gone are left out."""
    ties: dict[Pair, Tie] = defaultdict(Tie)
    if not contact_ids:
        return ties
    for kind, group in _sharing(session, contact_ids):
        for pair in _pairs(contact_ids, group):
            ties[pair].shared.add(kind)
    mine, theirs = aliased(IdentityLink), aliased(IdentityLink)
    for row in session.execute(
        select(mine.contact_id, theirs.contact_id)
        .join(theirs, mine.author_id == theirs.author_id)
        .where(
            any_of(session, mine.contact_id, contact_ids),
            theirs.contact_id != mine.contact_id,
            mine.state == LinkState.CONFIRMED,
            theirs.state == LinkState.CONFIRMED,
        )
    ):
        ties[_pair(row[0], row[1])].shared.add(LINKED_ACCOUNT)
    for verdict in session.scalars(
        select(RecordVerdict).where(
            any_of(session, RecordVerdict.contact_id, contact_ids)
            | any_of(session, RecordVerdict.other_id, contact_ids)
        )
    ):
        ties[verdict.contact_id, verdict.other_id].verdict = verdict
    return _compared(session, ties)


def _compared(session: Session, ties: Mapping[Pair, Tie]) -> dict[Pair, Tie]:
    ids = {one for pair in ties for one in pair}
    contacts = {
        row.id: row
        for row in session.execute(
            select(Contact.id, Contact.crm, Contact.name, Contact.family_name).where(
                any_of(session, Contact.id, ids), Contact.deleted_at.is_(None)
            )
        )
    }
    found: dict[Pair, Tie] = {}
    for pair, tie in ties.items():
        if pair[0] not in contacts or pair[1] not in contacts:
            continue
        one, other = contacts[pair[0]], contacts[pair[1]]
        tie.is_in_one_crm = one.crm == other.crm
        tie.differs = names_that_differ(one, other)
        found[pair] = tie
    return found


def _sharing(session: Session, contact_ids: Collection[int]) -> Iterable[tuple[str, list[int]]]:
    """Return the contacts that share a value with one of these, by kind."""
    values = {
        (row.kind, row.value)
        for row in session.execute(
            select(ContactKey.kind, ContactKey.value).where(
                any_of(session, ContactKey.contact_id, contact_ids), ContactKey.kind.in_(_KINDS)
            )
        )
    }
    found = find_contacts(session, (), values, most_of_key=0, most_of_value=MOST_SHARED)
    return ((kind, group) for (kind, _), group in found.by_value.items() if len(group) > 1)


def _known_together(session: Session, contact_ids: Collection[int]) -> dict[int, AnyRow]:
    """Return all records of the people that contacts were last found to be, by contact."""
    own = select(Contact.person_id).where(
        any_of(session, Contact.id, contact_ids), Contact.person_id.is_not(None)
    )
    people = {one for one in session.scalars(own) if one is not None}
    if not people:
        return {}
    rows = session.execute(
        select(Contact.id, Contact.crm, Contact.external_id, Contact.deleted_at, Contact.person_id)
        .where(any_of(session, Contact.person_id, people))
        .order_by(Contact.id)
    )
    return {row.id: row for row in rows}


def _groups(contact_ids: Iterable[int], ties: Mapping[Pair, Tie]) -> list[frozenset[int]]:
    """Return what hangs together; two that a person held apart stay apart, whoever else ties them.

    The strongest ties come first: what a person said, then what has most in common.
    """
    group_of = {one: {one} for one in contact_ids}
    apart = {pair for pair, tie in ties.items() if tie.verdict and not tie.verdict.is_same}

    def strength(pair: Pair) -> tuple[bool, int, Pair]:
        return ties[pair].verdict is None, -len(ties[pair].shared), pair

    for pair in sorted((pair for pair, tie in ties.items() if tie.is_same), key=strength):
        one, other = group_of[pair[0]], group_of[pair[1]]
        if one is other or any(_pair(a, b) in apart for a in one for b in other):
            continue
        one |= other
        for member in other:
            group_of[member] = one
    return [frozenset(one) for one in {id(one): one for one in group_of.values()}.values()]


def _pairs(contact_ids: Collection[int], group: Collection[int]) -> set[Pair]:
    own = set(contact_ids)
    return {_pair(one, other) for one in group if one in own for other in group if one != other}


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
