"""Finding contacts that share a key with authors: by index, bounded, after the policy gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from config.db import is_sqlite
from crm_link.any_of import any_of
from crm_link.context import LinkContext
from crm_link.facts import AuthorFacts, Candidate
from crm_link.keys import KeyKind
from crm_link.levels import MAX_OF_OWN_HOST
from crm_link.match_index import ALL, known_of
from crm_link.match_keys import MAX_PER_AUTHOR, MAX_PER_KEY, author_keys, hash_key
from crm_link.matching import Scale
from crm_link.matching_models import NameCount
from crm_link.models import Contact, ContactKey
from crm_link.policy import may_link
from crm_link.refusals import consents_of, refused_pairs
from crm_link.weights import Frequencies

#: A value of theirs that more contacts have says nothing about who somebody is: a company's
#: site, a switchboard. They are counted, and not looked at.
MAX_CONTACTS_PER_KEY = 20

_KEYS_AT_ONCE = 4_000

#: How many of a key's rows there are, up to a bound, and then those of the keys that have
#: few: on SQLite, which has no LATERAL.
_SQLITE_KEYS = text(
    "SELECT k.value, m.contact_id FROM json_each(:keys) AS k"
    " JOIN match_key AS m ON m.key = k.value"
    " WHERE (SELECT count(*) FROM (SELECT 1 FROM match_key AS c WHERE c.key = k.value"
    " LIMIT :above)) <= :most"
)
_POSTGRES_KEYS = text(
    "SELECT k.key, m.contact_id FROM unnest(CAST(:keys AS bigint[])) AS k(key),"
    " LATERAL (SELECT contact_id FROM match_key WHERE match_key.key = k.key LIMIT :above) AS m"
)


@dataclass(frozen=True, slots=True)
class Found:
    """The contacts that authors may be, and what pairs are weighed by."""

    candidates: dict[int, list[Candidate]]
    scale: Scale


def find_candidates(
    session: Session, authors: Sequence[AuthorFacts], context: LinkContext
) -> Found:
    """Return the contacts that each author may be, by author; a few queries for all.

    The gate comes first: nobody is looked up for an author whose platform forbids linking,
    and a contact that policy, consent or a refusal excludes is no candidate.
    """
    strong = {author.author_id: _strong_keys(author) for author in authors}
    by_value = _contacts_of(session, {key for keys in strong.values() for key in keys})
    by_key, wanted = _by_match_keys(session, authors)
    listed: dict[int, dict[int, set[tuple[str, str]]]] = {}
    for author in authors:
        own: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for key in strong[author.author_id]:
            for contact_id in by_value.get(key, ()):
                own[contact_id].add(key)
        for hashed in wanted.get(author.author_id, ()):
            if len(own) >= MAX_PER_AUTHOR:
                break
            for contact_id in by_key.get(hashed, ()):
                own.setdefault(contact_id, set())
        listed[author.author_id] = own
    contacts = _load(session, {one for own in listed.values() for one in own}, context)
    candidates = _allowed(session, authors, listed, contacts, context)
    return Found(candidates, _scale(session, candidates, authors, context))


@dataclass(frozen=True, slots=True)
class _Contact:
    candidate: Candidate
    relationship_source: str | None
    consents: frozenset[str]


def _strong_keys(author: AuthorFacts) -> set[tuple[str, str]]:
    return {(fact.kind.value, fact.value) for fact in author.facts if fact.kind is not KeyKind.NAME}


def _contacts_of(
    session: Session, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[int]]:
    """Return the contacts that have a value which few have."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    if not keys:
        return found
    usable = [
        (row[0], row[1])
        for row in session.execute(
            select(ContactKey.kind, ContactKey.value, func.count())
            .where(_has_key(session, keys))
            .group_by(ContactKey.kind, ContactKey.value)
            .having(func.count() <= MAX_CONTACTS_PER_KEY)
        )
    ]
    if usable:
        rows = session.execute(
            select(ContactKey.kind, ContactKey.value, ContactKey.contact_id).where(
                _has_key(session, usable)
            )
        )
        for kind, value, contact_id in rows:
            found[kind, value].append(contact_id)
    return found


def _by_match_keys(
    session: Session, authors: Sequence[AuthorFacts]
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return the contacts of each key that few have, and the keys of each author in order."""
    wanted: dict[int, list[int]] = {}
    for author in authors:
        if author.shown is not None:
            keys = author_keys(author.shown, author.name or "", author.handle or "")
            wanted[author.author_id] = [hash_key(key) for key in keys]
    found: dict[int, list[int]] = defaultdict(list)
    unique = sorted({key for keys in wanted.values() for key in keys})
    bounds = {"above": MAX_PER_KEY + 1}
    is_lite = is_sqlite(session)
    for start in range(0, len(unique), _KEYS_AT_ONCE):
        part = unique[start : start + _KEYS_AT_ONCE]
        if is_lite:
            given = {"keys": orjson.dumps(part).decode(), "most": MAX_PER_KEY} | bounds
            rows: Iterable[Any] = session.execute(_SQLITE_KEYS, given)
        else:
            rows = session.execute(_POSTGRES_KEYS, {"keys": part} | bounds)
        for key, contact_id in rows:
            found[key].append(contact_id)
    for key in [key for key, group in found.items() if len(group) > MAX_PER_KEY]:
        del found[key]
    return found, wanted


def _load(
    session: Session, contact_ids: Collection[int], context: LinkContext
) -> dict[int, _Contact]:
    if not contact_ids:
        return {}
    consents = consents_of(session, contact_ids)
    return {
        row.id: _Contact(
            Candidate(row.id, row.crm, row.name, row.owner, known=known_of(row, context.book)),
            row.relationship_source,
            consents.get(row.id, frozenset()),
        )
        for row in session.execute(
            select(
                Contact.id,
                Contact.crm,
                Contact.name,
                Contact.family_name,
                Contact.owner,
                Contact.relationship_source,
                Contact.fields,
                Contact.links,
            ).where(any_of(session, Contact.id, sorted(contact_ids)), Contact.deleted_at.is_(None))
        )
    }


def _allowed(
    session: Session,
    authors: Sequence[AuthorFacts],
    listed: Mapping[int, Mapping[int, set[tuple[str, str]]]],
    contacts: Mapping[int, _Contact],
    context: LinkContext,
) -> dict[int, list[Candidate]]:
    result: dict[int, list[Candidate]] = {}
    for author in authors:
        own: list[Candidate] = []
        for contact_id, keys in sorted(listed[author.author_id].items()):
            contact = contacts.get(contact_id)
            if contact is None:
                continue
            verdict = may_link(
                author.platform,
                contact.relationship_source,
                consents=contact.consents,
                table=context.table,
            )
            if verdict.is_allowed:
                own.append(
                    replace(contact.candidate, keys=frozenset(keys), is_public=verdict.is_public)
                )
        result[author.author_id] = own
    refused = refused_pairs(session, result, context)
    if not refused:
        return result
    return {
        author_id: [one for one in own if (author_id, one.contact_id) not in refused]
        for author_id, own in result.items()
    }


def _scale(
    session: Session,
    candidates: Mapping[int, Sequence[Candidate]],
    authors: Sequence[AuthorFacts],
    context: LinkContext,
) -> Scale:
    """Return how common the candidates' names, regions and hosts are."""
    wanted: set[tuple[str, str]] = {ALL}
    hosts = {host for author in authors if author.shown for host in author.shown.hosts}
    for group in candidates.values():
        for one in group:
            wanted.update((("family", one.known.name.last), ("given", one.known.name.first)))
            wanted.add(("region", one.known.region))
            wanted.update(("host", host) for host in one.known.hosts & hosts)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    if any(candidates.values()):
        for kind, value, count in session.execute(
            select(NameCount.kind, NameCount.value, NameCount.contacts).where(
                _counted(session, wanted)
            )
        ):
            counts[kind][value] = count
    contacts = counts["all"].get("", 1)
    frequencies = Frequencies(contacts, counts["family"], counts["given"], counts["region"])
    shared = {host for host, count in counts["host"].items() if count > MAX_OF_OWN_HOST}
    return Scale(context.model, frequencies, shared)


def _counted(session: Session, wanted: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, value in sorted(wanted):
        by_kind[kind].append(value)
    return or_(
        *(
            and_(NameCount.kind == kind, any_of(session, NameCount.value, values))
            for kind, values in by_kind.items()
        )
    )


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
