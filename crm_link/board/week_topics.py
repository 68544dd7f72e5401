"""The topics of whole weeks for the weekly report: finding them takes seconds.

Those of the last weeks are found in advance. Any other week is asked for by whoever opens its
report: a row without topics stands in the table until the worker has found them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import Clock, utc_now
from config.db import read_session
from crm_link.board.period import PERIODS
from crm_link.board.topics import (
    ALL,
    AT_ONCE,
    BUDGET_S,
    keep_board,
    keep_topics,
    mentions_of,
    read_kept,
)
from crm_link.reporting.response_times import week_of
from listener.models import Brand
from sentiment.facet_models import TopicBoard
from sentiment.topic_windows import TopicWindow, topics_of

#: Weeks whose topics are kept: those that the page of the report offers.
WEEKS = 8

#: After this long a week is looked at once more: late posts are in and all are judged.
SETTLED = timedelta(days=1)

#: How long the topics of a week that somebody asked for are kept.
KEPT = timedelta(days=1)

_WEEK = timedelta(weeks=1)


def week_topics(
    session: Session, brand_id: int, since: datetime, until: datetime, *, most: int
) -> TopicWindow | None:
    """Return the topics of a week without making anybody wait.

    Args:
        session: The transaction; it is only read.
        brand_id: The brand.
        since: Begin of the week.
        until: Its end, excluded.
        most: Most topics that are returned.

    Returns:
        Those that were kept, or found now where the week is small; None where it is neither.

    """
    kept = session.get(TopicBoard, (brand_id, _name(until)))
    if kept is not None and kept.found and (kept.since, kept.until) == (since, until):
        found = read_kept(kept)
        return TopicWindow(found.topics[:most], found.read, found.every)
    if mentions_of(session, brand_id, since, until) > AT_ONCE:
        return None
    return topics_of(session, brand_id, since, until, most=most)


def ask_for_week(
    sessions: sessionmaker[Session],
    brand_id: int,
    since: datetime,
    until: datetime,
    *,
    clock: Clock = utc_now,
) -> None:
    """Ask the worker for a week's topics, unless it finds them in advance or was asked already."""
    if until in _ends(clock()) and until - since == _WEEK:
        return
    with read_session(sessions) as session:
        kept = session.get(TopicBoard, (brand_id, _name(until)))
        if kept is not None and (kept.since, kept.until) == (since, until):
            return
    keep_board(sessions, brand_id, _name(until), since=since, until=until, now=clock(), found={})


def find_week_topics(sessions: sessionmaker[Session], *, clock: Clock = utc_now) -> int:
    """Find the topics of weeks that were asked for, then of large ones that are over, newest first.

    What is found is kept until the week is too old to be offered, or for a day.

    Returns:
        Of how many weeks.

    """
    now, stop_at, done = clock(), time.monotonic() + BUDGET_S, 0
    ends = _ends(now)
    with read_session(sessions) as session:
        own = select(Brand.id).where(Brand.is_own(), Brand.is_active).order_by(Brand.id)
        brands = session.scalars(own).all()
        kept = {
            (row.brand_id, row.until): row.found_at
            for row in session.execute(
                select(TopicBoard.brand_id, TopicBoard.until, TopicBoard.found_at).where(
                    TopicBoard.period.in_([_name(end) for end in ends])
                )
            )
        }
        due = [
            (brand_id, end)
            for end in ends
            for brand_id in brands
            if _is_due(kept.get((brand_id, end)), end, now)
            and mentions_of(session, brand_id, end - _WEEK, end) > AT_ONCE
        ]
        asked = [
            (row.brand_id, row.since, row.until)
            for row in session.scalars(
                select(TopicBoard).where(
                    TopicBoard.period.not_in([*PERIODS, *(_name(end) for end in ends)])
                )
            )
            if not row.found
        ]
    for brand_id, since, end in (*asked, *((brand_id, end - _WEEK, end) for brand_id, end in due)):
        keep_topics(sessions, brand_id, _name(end), since=since, until=end, now=now)
        done += 1
        if time.monotonic() > stop_at:
            break
    _forget(sessions, ends, now)
    return done


def _is_due(found_at: datetime | None, end: datetime, now: datetime) -> bool:
    return found_at is None or found_at < end + SETTLED <= now


def _ends(now: datetime) -> list[datetime]:
    """Return the ends of the weeks whose topics are found in advance, the newest first."""
    return [week_of(now) - number * _WEEK for number in range(WEEKS)]


def _forget(sessions: sessionmaker[Session], ends: Sequence[datetime], now: datetime) -> None:
    old = (
        TopicBoard.period.not_in([*PERIODS, *(_name(end) for end in ends)]),
        TopicBoard.brand_id != ALL,
        TopicBoard.found_at < now - KEPT,
    )
    with read_session(sessions) as session:
        if session.scalar(select(TopicBoard.brand_id).where(*old).limit(1)) is None:
            return
    with sessions.begin() as session:
        session.execute(delete(TopicBoard).where(*old))


def _name(end: datetime) -> str:
    return f"{end:%Y-%m-%d}"
