"""Finding contacts that share a key with authors: by index, bounded, after the policy gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from crm_link.context import LinkContext
from crm_link.linking.facts import AuthorFacts, Candidate
from crm_link.linking.findings import Scale
from crm_link.linking.key_queries import find_contacts, name_counts
from crm_link.linking.keys import KeyKind
from crm_link.linking.levels import MAX_OF_OWN_HOST
from crm_link.linking.link_statements import contacts_to_weigh, rows_of
from crm_link.linking.match_index import ALL, known_of
from crm_link.linking.match_keys import MAX_PER_AUTHOR, MAX_PER_KEY, author_keys, hash_key
from crm_link.linking.weights import Frequencies
from crm_link.policy import may_link
from crm_link.refusals import refused_pairs
from crm_link.withdrawals import without_withdrawn

#: A value of theirs that more contacts have says nothing about who somebody is: a company's
#: site, a switchboard. They are counted, and not looked at.
MAX_CONTACTS_PER_KEY = 20


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
    values = {key for keys in strong.values() for key in keys}
    wanted = _match_keys(authors)
    found = find_contacts(
        session,
        {key for keys in wanted.values() for key in keys},
        values,
        most_of_key=MAX_PER_KEY,
        most_of_value=MAX_CONTACTS_PER_KEY,
    )
    listed: dict[int, dict[int, set[tuple[str, str]]]] = {}
    for author in authors:
        own: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for key in strong[author.author_id]:
            for contact_id in found.by_value.get(key, ()):
                own[contact_id].add(key)
        for hashed in wanted.get(author.author_id, ()):
            if len(own) >= MAX_PER_AUTHOR:
                break
            for contact_id in found.by_key.get(hashed, ()):
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
    #: Whether anybody at all is never to be proposed.
    any_refusal: bool


def _strong_keys(author: AuthorFacts) -> set[tuple[str, str]]:
    return {(fact.kind.value, fact.value) for fact in author.facts if fact.kind is not KeyKind.NAME}


def _match_keys(authors: Sequence[AuthorFacts]) -> dict[int, list[int]]:
    """Return the match keys of each author, those that say most first."""
    wanted: dict[int, list[int]] = {}
    for author in authors:
        if author.shown is not None:
            keys = author_keys(author.shown, author.name or "", author.handle or "")
            wanted[author.author_id] = [hash_key(key) for key in keys]
    return wanted


def _load(
    session: Session, contact_ids: Collection[int], context: LinkContext
) -> dict[int, _Contact]:
    if not contact_ids:
        return {}
    found = rows_of(session, contacts_to_weigh, sorted(contact_ids))
    consents: dict[int, set[str]] = defaultdict(set)
    for row in found:
        if row.scope is not None:
            consents[row.id].add(row.scope)
    agreed = without_withdrawn(session, consents)
    return {
        contact_id: _Contact(
            Candidate(contact_id, row.crm, row.name, row.owner, known=known_of(row, context.book)),
            row.relationship_source,
            agreed.get(contact_id, frozenset()),
            row.any_refusal,
        )
        for contact_id, row in {row.id: row for row in found}.items()
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
    if not any(one.any_refusal for one in contacts.values()):
        return result
    refused = refused_pairs(session, result, context)
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
    counts = name_counts(session, wanted) if any(candidates.values()) else {}
    frequencies = Frequencies(
        counts.get("all", {}).get("", 1),
        counts.get("family", {}),
        counts.get("given", {}),
        counts.get("region", {}),
    )
    hosts_of = counts.get("host", {})
    shared = {host for host, count in hosts_of.items() if count > MAX_OF_OWN_HOST}
    return Scale(context.model, frequencies, shared)
