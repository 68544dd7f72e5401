"""Finding mentions by the words in their text: FTS5 on SQLite, a stored tsvector on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Integer,
    column,
    func,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.any_of import any_of
from config.db import is_sqlite
from listener.models import Mention

#: Mentions with the words, up to which their ids are read beforehand: 1 us each, against
#: 100 us for each mention that is looked up (measured at 100,000 mentions).
FEW = 20_000

#: The same on PostgreSQL, where each of them is a row that is read: as many as a walk over the
#: queue passes before it has a page of them (26 of 0.5 % of a million).
FEW_OF_HEAP = 4_000


@dataclass(frozen=True, slots=True)
class Found:
    """The condition that a text has some words; where few have them, it names these mentions.

    `all_at_once` is the same condition for who looks through very many mentions.
    """

    condition: ColumnElement[bool]
    are_few: bool
    all_at_once: ColumnElement[bool]


def find_words(
    session: Session, words: str, *, of: InstrumentedAttribute[int] = Mention.id
) -> Found:
    """Return the condition that a mention's text has all of `words`, in any order.

    Operators of the databases' own search languages are read as plain words, so that
    nothing that a person types is a syntax error.

    Args:
        session: The transaction.
        words: What somebody typed.
        of: The column that names the mention, where another table is walked over.

    """
    words = words.replace("\x00", " ").strip()
    if not words:
        return Found(true(), are_few=True, all_at_once=true())
    if is_sqlite(session):
        return _in_index(session, words, of)
    asked = func.plainto_tsquery(literal_column("'simple'"), words)
    has_words = literal_column("mention.search").op("@@")(asked)
    # PostgreSQL guesses how rare a word is among those that it walks over, and often wrong.
    few = session.scalars(select(Mention.id).where(has_words).limit(FEW_OF_HEAP + 1)).all()
    if len(few) <= FEW_OF_HEAP:
        named = any_of(session, of, few)
        return Found(named, are_few=True, all_at_once=named)
    return Found(has_words, are_few=False, all_at_once=has_words)


def text_contains(
    session: Session, words: str, *, of: InstrumentedAttribute[int] = Mention.id
) -> ColumnElement[bool]:
    """Return the condition of `find_words` alone."""
    return find_words(session, words, of=of).condition


def _in_index(session: Session, words: str, of: InstrumentedAttribute[int]) -> Found:
    """Ask FTS5 for all ids at once where they are few, else for each mention as it comes.

    SQLite cannot tell which is better: it would read the ids of every mention that has a
    common word before it shows the first one, or look up each mention for a rare word.
    """
    quoted = " ".join('"{}"'.format(word.replace('"', '""')) for word in words.split())
    index = table("mention_search", column("rowid", Integer))
    found = select(index.c.rowid).where(literal_column("mention_search").op("MATCH")(quoted))
    some = found.limit(FEW + 1).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) <= FEW:
        return Found(of.in_(found), are_few=True, all_at_once=of.in_(found))
    each = found.where(index.c.rowid == Mention.id).correlate(Mention).exists()
    return Found(each, are_few=False, all_at_once=of.in_(found))
