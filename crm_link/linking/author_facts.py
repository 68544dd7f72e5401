"""What authors show of themselves, read from the database, and kept as hashed keys.

An author's own texts count: not a repost's, which are another's words, and not an
article's, whose contact details are seldom its author's. Authors of a platform whose
terms forbid linking are not looked at, and nothing is kept of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new
from crm_link.context import LinkContext
from crm_link.linking.due import AnyRow
from crm_link.linking.facts import AuthorFacts, Profile
from crm_link.linking.link_statements import author_keys, rows_of
from crm_link.linking.matching_models import ContactConsent
from crm_link.linking.profile_facts import OwnText, read_facts, text_facts
from crm_link.models import AuthorKey
from crm_link.policy import PolicyRule, rule_of
from listener.models import Mention
from listener.types import PostKind

#: Kinds of post whose text is not the author's own.
NOT_OWN = (PostKind.REPOST, PostKind.ARTICLE)


@dataclass(frozen=True, slots=True)
class _StoredKey:
    kind: str
    value_hash: str
    mention_id: int | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was read of authors.

    Args:
        authors: The facts of those that may be linked.
        platforms: The platform of every author whose links are to be brought up to date.
        fresh: The hashes that an author shows for the first time, by author.
        deleted: Those to be looked at who have a post that is deleted.

    """

    authors: list[AuthorFacts]
    platforms: dict[int, str]
    fresh: dict[int, set[str]]
    deleted: list[int]


def load_facts(
    session: Session,
    authors: Sequence[AnyRow],
    texts: Mapping[int, Sequence[OwnText]],
    context: LinkContext,
    *,
    mention_ids: Collection[int] = (),
) -> Gathered:
    """Return the facts of the authors about whom something may be new.

    Nothing is new about an author who was looked at, whose profile and contacts did not
    change since (both set `link_due_at`), and whose texts show nothing.

    Args:
        session: The transaction.
        authors: Rows of `link_statements.authors`.
        texts: Texts to be read now, by author. Texts that showed something earlier are
            read again, so that deleted and edited ones say nothing any more.
        context: The hash key and home country.
        mention_ids: The mentions of this batch, also those whose text is not read.

    """
    stored: dict[int, list[_StoredKey]] = defaultdict(list)
    deleted: dict[int, None] = {}
    for key in rows_of(session, author_keys, [row.id for row in authors]):
        if key.has_deleted:
            deleted[key.author_id] = None
        if key.kind is None:
            continue
        stored[key.author_id].append(_StoredKey(key.kind, key.value_hash, key.mention_id))
    edited = {
        author_id
        for author_id, keys in stored.items()
        if any(key.mention_id in mention_ids for key in keys)
    }
    due = [
        row
        for row in authors
        if row.link_due_at is not None
        or row.id not in stored
        or row.id in edited
        or next(text_facts(texts.get(row.id, ()), context), None) is not None
    ]
    stored = {row.id: stored[row.id] for row in due if row.id in stored}
    earlier = _earlier_texts(session, stored, mention_ids)
    connected = _connected(session, {row.platform for row in due}, context)
    facts = [
        _facts_of(row, (*earlier.get(row.id, ()), *texts.get(row.id, ())), context)
        for row in due
        if row.platform in connected and row.gone_reason is None
    ]
    fresh = _keep(session, [row.id for row in due], facts, stored, context)
    return Gathered(facts, {row.id: row.platform for row in due}, fresh, list(deleted))


def _facts_of(row: AnyRow, own: Iterable[OwnText], context: LinkContext) -> AuthorFacts:
    profile = Profile(
        author_id=row.id,
        platform=row.platform,
        external_id=row.external_id,
        handle=row.handle,
        name=row.name,
        bio=row.bio,
        location=row.location,
        links=tuple(row.links),
        verified_links=tuple(row.verified_links),
    )
    return read_facts(profile, own, context, context.book)


def _connected(
    session: Session, platforms: Collection[str], context: LinkContext
) -> frozenset[str]:
    """Return the platforms whose authors may be looked at: a denied one if somebody connected."""
    allowed = {one for one in platforms if rule_of(one, context.table) is not PolicyRule.DENY}
    denied = set(platforms) - allowed
    if denied:
        allowed.update(
            session.scalars(
                select(ContactConsent.scope)
                .where(ContactConsent.scope.in_(denied), ContactConsent.revoked_at.is_(None))
                .distinct()
            )
        )
    return frozenset(allowed)


def _earlier_texts(
    session: Session,
    stored: Mapping[int, Sequence[_StoredKey]],
    at_hand: Collection[int],
) -> dict[int, list[OwnText]]:
    wanted = {
        key.mention_id: author_id
        for author_id, keys in stored.items()
        for key in keys
        if key.mention_id is not None and key.mention_id not in at_hand
    }
    found: dict[int, list[OwnText]] = defaultdict(list)
    if not wanted:
        return found
    for mention_id, text in session.execute(
        select(Mention.id, Mention.text).where(
            any_of(session, Mention.id, sorted(wanted)),
            Mention.deleted_at.is_(None),
            Mention.kind.not_in(NOT_OWN),
        )
    ):
        found[wanted[mention_id]].append(OwnText(mention_id, text))
    return found


def _keep(
    session: Session,
    author_ids: Sequence[int],
    authors: Iterable[AuthorFacts],
    stored: Mapping[int, Sequence[_StoredKey]],
    context: LinkContext,
) -> dict[int, set[str]]:
    """Make the stored keys those of the facts; return the hashes that are new, by author."""
    wanted: dict[int, dict[tuple[str, str], int | None]] = {key: {} for key in author_ids}
    for author in authors:
        for fact in author.facts:
            if fact.source != "account id":
                key = (fact.kind.value, context.hash_value(fact.kind, fact.value))
                if wanted[author.author_id].get(key, 0) is not None:
                    wanted[author.author_id][key] = fact.mention_id
    rows: list[dict[str, Any]] = []
    fresh: dict[int, set[str]] = defaultdict(set)
    for author_id, keys in wanted.items():
        have = {(key.kind, key.value_hash): key.mention_id for key in stored.get(author_id, ())}
        gone = [key for key, mention_id in have.items() if keys.get(key, -1) != mention_id]
        for kind, value_hash in gone:
            session.execute(
                delete(AuthorKey).where(
                    AuthorKey.author_id == author_id,
                    AuthorKey.kind == kind,
                    AuthorKey.value_hash == value_hash,
                )
            )
        for key in keys.keys() - (have.keys() - set(gone)):
            rows.append(
                {
                    "author_id": author_id,
                    "kind": key[0],
                    "value_hash": key[1],
                    "mention_id": keys[key],
                }
            )
            if key not in have:
                fresh[author_id].add(key[1])
    insert_new(
        session,
        AuthorKey,
        sorted(rows, key=lambda row: (row["author_id"], row["kind"], row["value_hash"])),
        key=["author_id", "kind", "value_hash"],
    )
    return fresh
