"""Forgetting what is no longer needed, in batches so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from listener.collection_models import Collection, QuarantinedItem, RawPost, SourceCursor
from listener.coverage import PAST
from listener.plan import BACKFILL

#: Rows that one transaction deletes.
BATCH = 1_000

#: Collections are kept twice as long as the past by which silence is judged.
KEEP_COLLECTIONS = 2 * PAST

#: A person must have had time to look at what was not understood.
KEEP_QUARANTINE = timedelta(days=90)

#: A backfill that nobody resumed for this long is given up.
KEEP_BACKFILL_CURSORS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """How many rows were deleted."""

    raw_posts: int = 0
    collections: int = 0
    quarantined: int = 0
    cursors: int = 0


def purge(
    sessions: sessionmaker[Session],
    now: datetime,
    *,
    raw_retention_days: int,
    max_batches: int = 1_000,
) -> PurgeResult:
    """Delete raw answers, collections and quarantined items that are too old.

    Args:
        sessions: Where they are; each batch is a transaction of its own.
        now: The present.
        raw_retention_days: How long the platforms' answers are kept.
        max_batches: Batches of each kind at most; the rest waits for the next purge.

    """
    raw_before = now - timedelta(days=raw_retention_days)
    return PurgeResult(
        raw_posts=_repeat(sessions, max_batches, lambda s: _purge_raw(s, raw_before)),
        collections=_repeat(
            sessions, max_batches, lambda s: _purge_collections(s, now - KEEP_COLLECTIONS)
        ),
        quarantined=_repeat(
            sessions, max_batches, lambda s: _purge_quarantine(s, now - KEEP_QUARANTINE)
        ),
        cursors=_repeat(
            sessions, max_batches, lambda s: _purge_cursors(s, now - KEEP_BACKFILL_CURSORS)
        ),
    )


def _repeat(
    sessions: sessionmaker[Session], max_batches: int, step: Callable[[Session], int]
) -> int:
    total = 0
    for _ in range(max_batches):
        with sessions.begin() as session:
            deleted = step(session)
        total += deleted
        if deleted < BATCH:
            break
    return total


def _purge_raw(session: Session, before: datetime) -> int:
    old = session.execute(
        select(RawPost.platform, RawPost.external_id)
        .where(RawPost.fetched_at < before)
        .order_by(RawPost.fetched_at)
        .limit(BATCH)
    ).all()
    if old:
        key = tuple_(RawPost.platform, RawPost.external_id)
        session.execute(delete(RawPost).where(key.in_([tuple(row) for row in old])))
    return len(old)


def _purge_collections(session: Session, before: datetime) -> int:
    # Row ids grow with time, so that the oldest are found without an index on the time.
    old = session.scalars(
        select(Collection.id)
        .where(Collection.started_at < before)
        .order_by(Collection.id)
        .limit(BATCH)
    ).all()
    if old:
        session.execute(delete(Collection).where(Collection.id.in_(old)))
    return len(old)


def _purge_quarantine(session: Session, before: datetime) -> int:
    old = session.scalars(
        select(QuarantinedItem.id)
        .where(QuarantinedItem.found_at < before)
        .order_by(QuarantinedItem.id)
        .limit(BATCH)
    ).all()
    if old:
        session.execute(delete(QuarantinedItem).where(QuarantinedItem.id.in_(old)))
    return len(old)


def _purge_cursors(session: Session, before: datetime) -> int:
    old = session.execute(
        select(SourceCursor.source_id, SourceCursor.key)
        .where(SourceCursor.key.startswith(BACKFILL), SourceCursor.updated_at < before)
        .limit(BATCH)
    ).all()
    for source_id, key in old:
        session.execute(
            delete(SourceCursor).where(SourceCursor.source_id == source_id, SourceCursor.key == key)
        )
    return len(old)
