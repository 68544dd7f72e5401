"""Contacts by the beginnings of words that people type: names, addresses, numbers, accounts."""

from __future__ import annotations

import re

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from config.db import is_sqlite
from crm_link.mentions import list_platforms
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Author

#: Words of one search; more narrow nothing down.
MOST_WORDS = 8

_WORD = re.compile(r"[^\W_]+")


def contact_matches(session: Session, words: str) -> ColumnElement[bool] | None:
    """Return the condition that a contact has words that begin so, or an account of that name.

    Both are looked up in indexes: a contact by its own words, an account by its exact handle
    where it is linked to the contact. Operators of the databases' search languages are read as
    plain words. Accents matter on PostgreSQL and do not on SQLite.

    Args:
        session: The transaction.
        words: What somebody typed; all of it must match.

    Returns:
        The condition; None where nothing was typed that could be looked for.

    """
    typed = _WORD.findall(words.replace("\x00", " "))[:MOST_WORDS]
    if not typed:
        return None
    return or_(_has_words(session, typed), Contact.id.in_(_with_account(session, words)))


def _has_words(session: Session, typed: list[str]) -> ColumnElement[bool]:
    if is_sqlite(session):
        index = table("contact_search", column("rowid", Integer))
        asked = " ".join(f'"{word}"*' for word in typed)
        found = select(index.c.rowid).where(literal_column("contact_search").op("MATCH")(asked))
        return Contact.id.in_(found)
    asked = " & ".join(f"'{word}':*" for word in typed)
    query = func.to_tsquery(literal_column("'simple'"), asked)
    return literal_column("contact.search").op("@@")(query)


def _with_account(session: Session, words: str) -> Select[int]:
    handle = words.strip().removeprefix("@")
    return (
        select(IdentityLink.contact_id)
        .join(Author, Author.id == IdentityLink.author_id)
        .where(
            Author.platform.in_(list_platforms(session)),
            Author.handle.in_({handle, handle.lower()}),
            IdentityLink.state == LinkState.CONFIRMED,
        )
    )
