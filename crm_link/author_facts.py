"""What authors show of themselves, read from the database, and kept as hashed keys.

An author's own texts count: not a repost's, which are another's words, and not an
article's, whose contact details are seldom its author's. Authors of a platform whose
terms forbid linking are not looked at, and nothing is kept of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.bulk import insert_new
from crm_link.any_of import any_of
from crm_link.context import LinkContext
from crm_link.due import AnyRow
from crm_link.extract import emails_in, phones_in, says_own
from crm_link.keys import (
    KeyKind,
    handle_key,
    host_key,
    link_key,
    name_key,
    normalise_email,
    normalise_phone,
)
from crm_link.standing_evidence import AuthorFacts, Fact
from crm_link.models import AuthorKey
from crm_link.policy import PolicyRule, rule_of
from listener.models import Author, Mention
from listener.types import PostKind

#: Values from texts that are kept of one author: who posts more posts lists.
MAX_TEXT_FACTS = 20

_SEVEN_DIGITS = re.compile(r"(?:\d[^\d]{0,3}){7}")
_BSKY = ".bsky.social"
#: Kinds of post whose text is not the author's own.
NOT_OWN = (PostKind.REPOST, PostKind.ARTICLE)


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text that an author wrote."""

    mention_id: int
    text: str


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

    """

    authors: list[AuthorFacts]
    platforms: dict[int, str]
    fresh: dict[int, set[str]]


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
        authors: Rows with the columns of `author_columns`.
        texts: Texts to be read now, by author. Texts that showed something earlier are
            read again, so that deleted and edited ones say nothing any more.
        context: The hash key and home country.
        mention_ids: The mentions of this batch, also those whose text is not read.

    """
    stored: dict[int, list[_StoredKey]] = defaultdict(list)
    for key in session.execute(
        select(
            AuthorKey.author_id, AuthorKey.kind, AuthorKey.value_hash, AuthorKey.mention_id
        ).where(any_of(session, AuthorKey.author_id, [row.id for row in authors]))
    ):
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
        or next(_text_facts(texts.get(row.id, ()), context), None) is not None
    ]
    stored = {row.id: stored[row.id] for row in due if row.id in stored}
    earlier = _earlier_texts(session, stored, mention_ids)
    facts = [
        _facts_of(row, (*earlier.get(row.id, ()), *texts.get(row.id, ())), context)
        for row in due
        if rule_of(row.platform) is not PolicyRule.DENY
    ]
    fresh = _keep(session, [row.id for row in due], facts, stored, context)
    return Gathered(facts, {row.id: row.platform for row in due}, fresh)


def _facts_of(row: AnyRow, own: Iterable[OwnText], context: LinkContext) -> AuthorFacts:
    found = (*_profile_facts(row, context), *_text_facts(own, context))
    return AuthorFacts(
        author_id=row.id,
        platform=row.platform,
        handle=row.handle,
        name=row.name,
        location=row.location,
        facts=tuple(dict.fromkeys(found)),
    )


def author_columns() -> tuple[Any, ...]:
    """Return the columns that `load_facts` needs."""
    return (
        Author.id,
        Author.platform,
        Author.external_id,
        Author.handle,
        Author.name,
        Author.bio,
        Author.location,
        Author.links,
        Author.verified_links,
        Author.link_due_at,
    )


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


def _profile_facts(row: AnyRow, context: LinkContext) -> Iterator[Fact]:
    handle = handle_key(row.platform, row.handle) if row.handle else None
    if handle:
        yield Fact(KeyKind.HANDLE, handle, "handle")
    account = handle_key(row.platform, row.external_id)
    if account and account != handle:
        yield Fact(KeyKind.HANDLE, account, "account id")
    if row.bio:
        yield from _found_in(row.bio, "bio", None, context)
    if row.name and row.location and (name := name_key(row.name)):
        yield Fact(KeyKind.NAME, name, "profile")
    yield from _link_facts(row, context)


def _link_facts(row: AnyRow, context: LinkContext) -> Iterator[Fact]:
    verified = list(row.verified_links)
    if row.platform == "bluesky" and row.handle and not row.handle.endswith(_BSKY):
        verified.append(row.handle)  # a domain as handle is proved to Bluesky by DNS
    seen: set[str] = set()
    for links, is_verified in ((verified, True), (row.links, False)):
        for link in links:
            if link.startswith(("mailto:", "tel:")):
                yield from _contact_link(link, context)
                continue
            for key in (link_key(link), host_key(link)):
                if key and key not in seen:
                    seen.add(key)
                    yield Fact(KeyKind.LINK, key, "profile link", is_verified=is_verified)


def _contact_link(link: str, context: LinkContext) -> Iterator[Fact]:
    scheme, _, value = link.partition(":")
    if scheme == "mailto":
        kind, key = KeyKind.EMAIL, normalise_email(value.partition("?")[0])
    else:
        kind, key = KeyKind.PHONE, normalise_phone(value, context.country)
    if key:
        yield Fact(kind, key, "profile link")


def _text_facts(texts: Iterable[OwnText], context: LinkContext) -> Iterator[Fact]:
    seen: set[str] = set()
    for item in texts:
        for fact in _found_in(item.text, f"mention {item.mention_id}", item.mention_id, context):
            if fact.value not in seen:
                seen.add(fact.value)
                yield fact
            if len(seen) == MAX_TEXT_FACTS:
                return


def _found_in(
    text: str, source: str, mention_id: int | None, context: LinkContext
) -> Iterator[Fact]:
    found: list[tuple[KeyKind, str, int]] = []
    if "@" in text:
        found.extend((KeyKind.EMAIL, value, at) for value, at in emails_in(text).items())
    if _SEVEN_DIGITS.search(text):
        phones = phones_in(text, context.country)
        found.extend((KeyKind.PHONE, value, at) for value, at in phones.items())
    for kind, value, place in found:
        is_third_party = mention_id is not None and not says_own(text, place)
        yield Fact(kind, value, source, mention_id, is_third_party=is_third_party)


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
