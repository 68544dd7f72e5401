"""Finding contacts that share a key with authors: by index, bounded, after the policy gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from crm_link.any_of import any_of
from crm_link.standing_evidence import AuthorFacts, Candidate, places_of
from crm_link.models import Contact, ContactKey
from crm_link.policy import may_link

#: A key that more contacts have says nothing about who somebody is: a company's site, a
#: switchboard, a common name. They are counted, and not looked at.
MAX_CONTACTS_PER_KEY = 20


@dataclass(frozen=True, slots=True)
class _Found:
    candidate: Candidate
    relationship_source: str | None


def find_candidates(session: Session, authors: Sequence[AuthorFacts]) -> dict[int, list[Candidate]]:
    """Return the contacts that each author may be, by author; two queries at most."""
    wanted = {author.author_id: _keys_of(author) for author in authors}
    keys = {key for group in wanted.values() for key in group}
    found = _load(session, _usable(session, keys))
    result: dict[int, list[Candidate]] = {}
    for author in authors:
        contact_ids = {
            contact.candidate.contact_id: contact
            for key in wanted[author.author_id]
            for contact in found.get(key, ())
        }
        result[author.author_id] = [
            contact.candidate
            for _, contact in sorted(contact_ids.items())
            if may_link(author.platform, contact.relationship_source).is_allowed
        ]
    return result


def _keys_of(author: AuthorFacts) -> set[tuple[str, str]]:
    return {(fact.kind.value, fact.value) for fact in author.facts}


def _usable(session: Session, keys: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    if not keys:
        return []
    rows = session.execute(
        select(ContactKey.kind, ContactKey.value, func.count())
        .where(_has_key(session, keys))
        .group_by(ContactKey.kind, ContactKey.value)
        .having(func.count() <= MAX_CONTACTS_PER_KEY)
    )
    return [(row[0], row[1]) for row in rows]


def _load(
    session: Session, keys: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], list[_Found]]:
    found: dict[tuple[str, str], list[_Found]] = defaultdict(list)
    if not keys:
        return found
    rows = session.execute(
        select(
            ContactKey.kind,
            ContactKey.value,
            Contact.id,
            Contact.crm,
            Contact.name,
            Contact.owner,
            Contact.relationship_source,
            Contact.fields,
        )
        .join(Contact, Contact.id == ContactKey.contact_id)
        .where(_has_key(session, keys), Contact.deleted_at.is_(None))
    ).all()
    shared: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        shared[row.id].add((row.kind, row.value))
    contacts: dict[int, _Found] = {}
    for row in rows:
        if row.id not in contacts:
            candidate = Candidate(
                contact_id=row.id,
                crm=row.crm,
                name=row.name,
                places=_places(row.fields),
                owner=row.owner,
                keys=frozenset(shared[row.id]),
            )
            contacts[row.id] = _Found(candidate, row.relationship_source)
        found[row.kind, row.value].append(contacts[row.id])
    return found


def _has_key(session: Session, keys: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, value in sorted(keys):
        by_kind[kind].append(value)
    return or_(
        *(
            and_(ContactKey.kind == kind, any_of(session, ContactKey.value, values))
            for kind, values in by_kind.items()
        )
    )


def _places(fields: Mapping[str, Any]) -> frozenset[str]:
    named = (fields.get("city"), fields.get("region"))
    return frozenset(place for text in named if text for place in places_of(str(text)))
