"""Mentions, the newest first, looked through as far as one page may take.

What an index holds is passed over quickly, however little matches. What is looked up for each
mention, its signals and common words, is not: a page looks through so many and says from where
on the next one goes on, so that none takes seconds because next to nothing matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session, joinedload

from listener.models import Mention

#: Mentions that are looked up at first, for each one that is wanted.
FIRST_LOOKED = 8


@dataclass(frozen=True, slots=True)
class MentionKey:
    """A place in the list: what comes after it is older."""

    published_at: datetime
    mention_id: int


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found, the newest first, and where it stopped before its end."""

    found: Sequence[Mention]
    stopped_at: MentionKey | None


def after_key(after: MentionKey) -> Any:  # noqa: ANN401 - a condition
    """Return the condition that a mention comes after a place."""
    return tuple_(Mention.published_at, Mention.id) < tuple_(
        literal(after.published_at, Mention.published_at.type),
        literal(after.mention_id, Mention.id.type),
    )


def walk(
    session: Session,
    brand_ids: Sequence[int],
    quick: Sequence[Any],
    slow: Sequence[Any],
    *,
    most_looked: int,
    limit: int,
) -> Walk:
    """Return the newest mentions that match, with author and brand.

    Args:
        session: The transaction.
        brand_ids: The brand; several only where `quick` names few mentions.
        quick: Conditions that an index holds.
        slow: Conditions that are looked up for each mention.
        most_looked: Mentions that are looked up for the slow ones.
        limit: Mentions wanted.

    """
    ours = (
        Mention.brand_id == brand_ids[0] if len(brand_ids) == 1 else Mention.brand_id.in_(brand_ids)
    )
    order = (Mention.published_at.desc(), Mention.id.desc())
    near = select(Mention.id, Mention.published_at).where(ours, *quick).order_by(*order)
    whole = select(Mention).options(joinedload(Mention.author), joinedload(Mention.brand))
    if not slow:
        query = whole.where(ours, *quick).order_by(*order)
        return Walk(session.scalars(query.limit(limit)).all(), None)
    # What many have is found among the first ones.
    for looked_at in (FIRST_LOOKED * limit, most_looked):
        looked = near.limit(looked_at).subquery()
        query = whole.join(looked, looked.c.id == Mention.id).where(*slow)
        query = query.order_by(looked.c.published_at.desc(), looked.c.id.desc())
        found = session.scalars(query.limit(limit)).all()
        if len(found) >= limit:
            return Walk(found, None)
    last = session.execute(near.offset(most_looked - 1).limit(1)).one_or_none()
    return Walk(found, None if last is None else MentionKey(last.published_at, last.id))
