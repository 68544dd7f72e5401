"""The posts that a burst is made of, as `why` looks at them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal_column, select
from sqlalchemy.orm import Session

from listener.models import Author, Mention
from sentiment.topic_words import MAX_CHARS

#: Newest posts of the window that are looked at: somebody waits, for an alert or the page.
MOST_POSTS = 1_000

#: As a literal, because SQLite uses a partial index only where it can see the condition.
_IS_NEGATIVE = Mention.label == literal_column("'negative'")

Post = Row[Any]


def read_posts(
    session: Session,
    brand_id: int,
    topics: Collection[str] | None,
    since: datetime,
    until: datetime,
    most: int = MOST_POSTS,
) -> list[Post]:
    """Return negative posts of a window, the newest first.

    Args:
        session: The transaction.
        brand_id: The brand.
        topics: Only these topics of the protocol; None for all.
        since: Beginning, by publication time.
        until: End, included.
        most: Most posts that are returned.

    """
    query = (
        select(
            Mention.id,
            func.substr(Mention.text, 1, MAX_CHARS).label("text"),
            Mention.lang,
            Mention.platform,
            Mention.source_id,
            Mention.author_id,
            Mention.published_at,
            Mention.folded_into_id,
            Mention.fold_count,
            Mention.repost_of_id,
            Mention.links,
            Mention.likes,
            Mention.reposts,
            Mention.replies,
            Author.followers,
            Author.created_at.label("joined_at"),
        )
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(
            Mention.brand_id == brand_id,
            _IS_NEGATIVE,
            Mention.published_at >= since,
            Mention.published_at <= until,
            Mention.deleted_at.is_(None),
        )
        .order_by(Mention.published_at.desc(), Mention.id.desc())
        .limit(most)
    )
    if topics is not None:
        query = query.where(Mention.topic.in_(list(topics)))
    return list(session.execute(query).all())


def count_posts(
    session: Session,
    brand_id: int,
    topics: Collection[str] | None,
    since: datetime,
    until: datetime,
) -> int:
    """Return how many negative posts a window has, the end included."""
    query = select(func.count()).where(
        Mention.brand_id == brand_id,
        _IS_NEGATIVE,
        Mention.published_at >= since,
        Mention.published_at <= until,
        Mention.deleted_at.is_(None),
    )
    if topics is not None:
        query = query.where(Mention.topic.in_(list(topics)))
    return session.scalar(query) or 0


def reach_of(post: Post) -> int:
    """Return by how many people a post may have been seen, for ranking only."""
    return int(
        (post.followers or 0)
        + 10 * (post.reposts or 0)
        + (post.likes or 0)
        + (post.replies or 0)
        + 10 * post.fold_count
    )
