"""How each collection went: written to its source and to the list of collections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from config.errors import AppError, BudgetExhaustedError, NotFoundError, TransientError
from config.phrases import phrase
from listener.collection_models import Collection
from listener.models import Source, SourceState
from listener.results import CollectResult
from listener.types import Post

#: A platform that fails is asked again after this, doubled with each failure in a row.
FIRST_RETRY_S = 5.0

#: At the latest after this, and so is one that waits for a person: it may be mended.
LAST_RETRY_S = 900.0

#: The longest wait that a platform's own answer can cause.
LONGEST_PAUSE = timedelta(days=31)

#: Characters of an error that are kept.
_ERROR_LENGTH = 1_000


def note_start(session: Session, source_id: int, now: datetime) -> int:
    """Record that a collection begins; return its row id.

    The next one is planned at once, so that a crash delays the source by one interval and
    not for ever, and does not make it run without pause.

    Raises:
        NotFoundError: There is no such source.

    """
    source = session.get(Source, source_id)
    if source is None:
        msg = f"there is no source {source_id}"
        raise NotFoundError(msg)
    source.last_attempt_at = now
    source.next_due_at = now + timedelta(seconds=source.every_s)
    run = Collection(source_id=source_id, started_at=now)
    session.add(run)
    session.flush()
    return run.id


def note_page(
    session: Session, source_id: int, run_id: int, stored: CollectResult, posts: Sequence[Post]
) -> None:
    """Add a page to the record of its collection."""
    session.execute(
        update(Collection)
        .where(Collection.id == run_id)
        .values(
            pages=Collection.pages + stored.pages,
            seen=Collection.seen + stored.seen,
            new=Collection.new + stored.new,
            changed=Collection.changed + stored.changed,
            rejected=Collection.rejected + stored.rejected,
        )
    )
    times = [post.published_at.astimezone(UTC) for post in posts if post.published_at.tzinfo]
    if times:
        newest = max(times)
        session.execute(
            update(Source)
            .where(
                Source.id == source_id,
                (Source.newest_post_at.is_(None)) | (Source.newest_post_at < newest),
            )
            .values(newest_post_at=newest)
        )


def note_success(session: Session, source_id: int, run_id: int, now: datetime) -> None:
    """Record that a collection read everything it could."""
    source = session.get_one(Source, source_id)
    source.state = SourceState.OK
    source.failures = 0
    source.last_error = None
    source.last_success_at = now
    session.get_one(Collection, run_id).ended_at = now


def note_failure(
    session: Session, source_id: int, run_id: int, error: Exception, now: datetime
) -> None:
    """Record why a collection ended early, and when to try again."""
    source = session.get_one(Source, source_id)
    source.failures += 1
    source.state, wait = _verdict(error, source.failures)
    source.next_due_at = now + wait
    source.last_error = _words(error)
    run = session.get_one(Collection, run_id)
    run.ended_at = now
    run.error = source.last_error


def _verdict(error: Exception, failures: int) -> tuple[SourceState, timedelta]:
    if isinstance(error, BudgetExhaustedError):
        return SourceState.PAUSED, _pause(error.resume_after_s)
    if isinstance(error, TransientError) and error.retry_after_s is not None:
        return SourceState.RETRYING, _pause(error.retry_after_s)
    if isinstance(error, AppError) and not isinstance(error, TransientError):
        return SourceState.FAILING, timedelta(seconds=LAST_RETRY_S)
    # Twenty doublings are beyond the cap anyway, and a thousand would overflow.
    longest_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 20))
    # Sources that failed together must not come back together.
    wait_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    return SourceState.RETRYING, timedelta(seconds=wait_s)


def _pause(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 1.0), LONGEST_PAUSE.total_seconds()))


def _words(error: Exception) -> str:
    """Return what may be shown of an error; others than our own may quote posts."""
    if isinstance(error, AppError):
        return (error.said or type(error).__name__)[:_ERROR_LENGTH]
    return phrase(
        "%(kind)s: a fault in the program or its database, see the log", kind=type(error).__name__
    )
