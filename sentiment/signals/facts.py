"""What the stored mentions and the author's profile say about a mention, for its signals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from listener.models import Mention
from listener.types import PostKind
from sentiment.signals.spam import Account, Repeats

_DAY = timedelta(days=1)


class SignalFacts:
    """What the stored mentions say around a batch, in three queries however many there are."""

    def __init__(self, session: Session, rows: Sequence[ResultRow[Any]]) -> None:
        """Read what is around `rows`: mentions with the columns of their authors' profiles."""
        self._posts = _posts_by_author(session, rows)
        self._same = _authors_of_folds(session, rows)

    def repeats(self, row: ResultRow[Any]) -> Repeats:
        """Return how often a mention's words were posted, reposts left out."""
        authors = self._same.get(row.folded_into_id or row.mention_id)
        if authors is None or row.kind == PostKind.REPOST:
            return Repeats()
        own = authors[row.author_id] if row.author_id is not None else 0
        return Repeats(others=len(authors) - bool(own), own=max(0, own - 1))

    def account(self, row: ResultRow[Any]) -> Account | None:
        """Return what is known of a mention's author when it was posted."""
        if row.author_id is None:
            return None
        times = self._posts.get(row.author_id, [])
        since = row.published_at - _DAY
        return Account(
            handle=row.handle,
            name=row.name,
            has_bio=bool(row.bio),
            bio=row.bio or "",
            has_place_or_link=bool(row.location or row.links),
            followers=row.followers,
            is_verified=row.is_verified,
            created_at=row.created_at,
            posts_a_day=bisect_right(times, row.published_at) - bisect_left(times, since),
        )


def _posts_by_author(session: Session, rows: Sequence[ResultRow[Any]]) -> dict[int, list[datetime]]:
    """Return when the authors posted around the batch; a post about two brands is one."""
    ids = {row.author_id for row in rows if row.author_id is not None}
    if not ids:
        return {}
    times = [row.published_at for row in rows]
    found: dict[int, list[datetime]] = defaultdict(list)
    for author_id, at in session.execute(
        select(Mention.author_id, func.min(Mention.published_at))
        .where(
            any_of(session, Mention.author_id, sorted(ids)),
            Mention.published_at >= min(times) - _DAY,
            Mention.published_at <= max(times),
        )
        .group_by(Mention.author_id, Mention.platform, Mention.external_id)
    ):
        if author_id is not None:
            found[author_id].append(at)
    return {author_id: sorted(posted) for author_id, posted in found.items()}


def _authors_of_folds(
    session: Session, rows: Sequence[ResultRow[Any]]
) -> dict[int, Counter[int | None]]:
    """Return for each story in the batch which authors posted it, and how often."""
    roots = {
        row.folded_into_id or row.mention_id for row in rows if row.folded_into_id or row.fold_count
    }
    found: dict[int, Counter[int | None]] = defaultdict(Counter)
    for column in (Mention.id, Mention.folded_into_id):
        for root, author_id, posts in session.execute(
            select(column, Mention.author_id, func.count())
            .where(any_of(session, column, sorted(roots)), Mention.kind != PostKind.REPOST)
            .group_by(column, Mention.author_id)
        ):
            if root is not None:
                found[root][author_id] += posts
    return found
