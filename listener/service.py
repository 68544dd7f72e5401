"""Collecting: reading a source's new posts page by page, each stored with its cursor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock, utc_now
from config.db import in_transaction, read_session
from config.errors import AppError
from config.logs import get_logger, place_of
from listener.collector import Collector, make_collector
from listener.gaps import close_gaps, mark_deleted, record_gaps
from listener.health import note_failure, note_page, note_start, note_success
from listener.models import Mention, Source, Step
from listener.plan import Plan, make_plan, save_cursor
from listener.quarantine import quarantine
from listener.query import Query, Subject
from listener.results import CollectResult
from listener.running import only_collection_of
from listener.store import store_posts
from listener.types import Page, Post

log = get_logger(__name__)


def collect(
    sessions: sessionmaker[Session],
    source_id: int,
    *,
    collector: Collector | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    clock: Clock = utc_now,
    keep_raw: bool = True,
    on_page: Callable[[CollectResult], None] | None = None,
) -> CollectResult:
    """Store every post published since the source's cursor; return what it came to.

    Each page is one transaction with its cursor, and the network is never used inside one.
    After a crash the last page may be read again, which changes nothing: see `store_posts`.

    Args:
        sessions: Where to store.
        source_id: The source.
        collector: What reads the platform; made from the source's options if not given.
        since: Read again from here on (a bounded backfill with a cursor of its own); gaps
            that it covers are closed. Without it the source's cursor decides, and a first
            run looks back one day.
        until: Newer posts are not wanted.
        clock: The present.
        keep_raw: Whether the platform's own answers are kept too.
        on_page: Called after each page with the result so far.

    Raises:
        ConflictError: The source is being collected already.
        NotFoundError: There is no such source.
        TransientError, BudgetExhaustedError: Recorded; the source is tried again when due.
        PermanentError, InputError: Recorded; a person must mend it.

    """
    with only_collection_of(sessions, source_id):
        started_at = clock()
        with sessions.begin() as session:
            run_id = note_start(session, source_id, started_at)
        result = CollectResult()
        own: Collector | None = None
        try:
            with read_session(sessions) as session:
                platform, options = _target(session, source_id)
            if collector is None:
                collector = own = make_collector(platform, options)
            with read_session(sessions) as session:
                plan = make_plan(
                    session, source_id, collector, now=started_at, since=since, until=until
                )
            matching = plan.walk.query if collector.matches_query else None
            for page in collector.pages(plan.walk):
                store = partial(
                    _store_page,
                    plan=plan,
                    page=page,
                    run_id=run_id,
                    matching=matching,
                    now=clock(),
                    keep_raw=keep_raw,
                )
                result += in_transaction(sessions, store)
                if on_page is not None:
                    on_page(result)
            with sessions.begin() as session:
                closed = close_gaps(session, plan, result.gaps, clock())
                note_success(session, source_id, run_id, clock())
        except Exception as error:
            _record(sessions, source_id, run_id, error, clock())
            raise
        finally:
            if own is not None:
                own.close()
    log.info(
        "collected",
        source=source_id,
        pages=result.pages,
        new=result.new,
        gaps=result.gaps,
        closed=closed,
    )
    return result


def pending_ids(
    session: Session, step: Step, limit: int, *, newest_first: bool = True
) -> list[int]:
    """Return the ids of mentions that wait for `step`, from the index of the queue."""
    order = Mention.id.desc() if newest_first else Mention.id.asc()
    waiting = select(Mention.id).where(Mention.pending == step)
    return list(session.scalars(waiting.order_by(order).limit(limit)))


def pending_counts(session: Session) -> dict[Step, int]:
    """Return how many mentions wait for each step."""
    rows = session.execute(
        select(Mention.pending, func.count())
        .where(Mention.pending.is_not(None))
        .group_by(Mention.pending)
    )
    counts = dict.fromkeys(Step, 0)
    for step, number in rows:
        if step is not None:
            counts[step] = number
    return counts


def _target(session: Session, source_id: int) -> tuple[str, dict[str, Any]]:
    source = session.get_one(Source, source_id)
    return source.platform, source.options


def _store_page(
    session: Session,
    *,
    plan: Plan,
    page: Page,
    run_id: int,
    matching: Query | None,
    now: datetime,
    keep_raw: bool,
) -> CollectResult:
    """Store what a page holds and where the next one starts; see `collect`."""
    source_id = plan.source_id
    counts = store_posts(
        session,
        brand_id=plan.brand_id,
        platform=plan.platform,
        posts=[post for post in page.posts if _is_wanted(post, plan, matching)],
        source_id=source_id,
        now=now,
        keep_raw=keep_raw,
    )
    if page.rejected:
        quarantine(session, page.rejected, source_id=source_id, now=now)
    record_gaps(session, source_id, page.gaps, now)
    mark_deleted(session, plan.brand_id, plan.platform, page.deleted, now)
    if page.cursor is not None:
        save_cursor(session, plan, page.cursor, now)
    stored = CollectResult(
        pages=1,
        seen=len(page.posts) + len(page.rejected),
        new=counts.new,
        changed=counts.changed,
        rejected=counts.rejected + len(page.rejected),
        gaps=len(page.gaps),
    )
    note_page(session, source_id, run_id, stored, page.posts)
    return stored


def _is_wanted(post: Post, plan: Plan, matching: Query | None) -> bool:
    return matching is None or matching.matches(subject_of(post, plan.platform))


def subject_of(post: Post, platform: str) -> Subject:
    """Return a post as queries look at it."""
    return Subject(
        text=post.text,
        author_handle=post.author.handle if post.author else None,
        url=post.url,
        lang=post.lang,
        platform=platform,
        kind=post.kind,
        links=post.links,
    )


def _record(
    sessions: sessionmaker[Session], source_id: int, run_id: int, error: Exception, now: datetime
) -> None:
    """Record why a collection ended; where the database is what failed, nobody can."""
    place = {} if isinstance(error, AppError) else {"at": place_of(error)}
    log.warning("collection failed", source=source_id, error=type(error).__name__, **place)
    with suppress(SQLAlchemyError), sessions.begin() as session:
        note_failure(session, source_id, run_id, error, now)
