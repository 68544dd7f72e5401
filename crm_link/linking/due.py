"""Marking authors for another look by linking, and locking them in one order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.db import is_sqlite
from crm_link.context import LinkContext
from crm_link.linking.keys import KeyKind
from crm_link.models import AuthorKey, IdentityLink
from listener.models import Author

_CHUNK = 5000

#: A row whose columns the query beside it names.
AnyRow = Row[*tuple[Any, ...]]

T = TypeVar("T", str, int)


def mark_due(
    session: Session,
    *,
    keys: Collection[tuple[str, str]],
    contact_ids: Collection[int],
    now: datetime,
    context: LinkContext,
) -> int:
    """Set `link_due_at` of the authors that show one of the keys or are linked to a contact.

    All by index: hashes of what authors show, account ids, links.
    """
    author_ids: set[int] = set()
    hashes = [context.hash_value(kind, value) for kind, value in keys]
    for chunk in _chunks(sorted(hashes)):
        author_ids.update(
            session.scalars(
                select(AuthorKey.author_id).where(any_of(session, AuthorKey.value_hash, chunk))
            )
        )
    accounts: dict[str, list[str]] = defaultdict(list)
    for kind, value in keys:
        if kind == KeyKind.HANDLE.value:
            platform, _, account = value.partition(":")
            accounts[platform].append(account)
    for platform, names in accounts.items():
        for chunk in _chunks(sorted(names)):
            author_ids.update(
                session.scalars(
                    select(Author.id).where(
                        Author.platform == platform, any_of(session, Author.external_id, chunk)
                    )
                )
            )
    for ids in _chunks(sorted(contact_ids)):
        author_ids.update(
            session.scalars(
                select(IdentityLink.author_id).where(any_of(session, IdentityLink.contact_id, ids))
            )
        )
    mark_authors(session, author_ids, now)
    return len(author_ids)


def mark_authors(session: Session, author_ids: Collection[int], now: datetime) -> None:
    """Set `link_due_at` of these authors."""
    for chunk in _chunks(sorted(author_ids)):
        lock_authors(session, chunk)
        session.execute(
            update(Author).where(any_of(session, Author.id, chunk)).values(link_due_at=now)
        )


def lock_authors(session: Session, author_ids: Iterable[int]) -> None:
    """Hold these authors until the transaction ends, in order, so that nobody deadlocks.

    SQLite has one writer, and nothing to lock.
    """
    if is_sqlite(session):
        return
    session.execute(
        select(Author.id)
        .where(any_of(session, Author.id, author_ids))
        .order_by(Author.id)
        .with_for_update(key_share=True)
    ).all()


def _chunks(values: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
