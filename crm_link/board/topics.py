"""The topics of the board's periods, found in advance: finding them takes seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import upsert
from config.clock import Clock, utc_now
from config.db import read_session
from crm_link.board.period import PERIODS, period_ends
from crm_link.escalation.models import Incident
from listener.models import Brand
from sentiment.facet_models import TopicBoard
from sentiment.models import GRAINS_S, Volume
from sentiment.topic_windows import TopicWindow, topics_of
from sentiment.topics import Topic
from sentiment.trends import others

#: How old the topics of a period may be before they are found again.
OLDEST = {"24h": timedelta(minutes=5), "7d": timedelta(hours=1), "30d": timedelta(hours=6)}

#: The same for a brand with an incident that is not over: what it is about changes by the minute.
OLDEST_IN_CRISIS = {"24h": timedelta(minutes=1)}

#: Seconds of one call after which the rest is left to the next one.
BUDGET_S = 2.0

#: Mentions up to which topics are found while somebody waits for the page.
AT_ONCE = 2_000

#: What stands for all brands together.
ALL = 0


@dataclass(frozen=True, slots=True)
class BoardTopics:
    """A period's topics, and of which window they are.

    Args:
        window: The topics; None where they are still to be found.
        since: Beginning of the window.
        until: Its end.
        found_at: When they were found.

    """

    window: TopicWindow | None
    since: datetime
    until: datetime
    found_at: datetime


def board_topics(
    session: Session, brand_id: int | None, *, period: str, now: datetime
) -> BoardTopics:
    """Return a period's topics: those found last, or found now where that is quick."""
    stored = session.get(TopicBoard, (brand_id or ALL, period))
    if stored is not None and now - stored.found_at < max(PERIODS[period][0], OLDEST[period]):
        found = read_kept(stored)
        return BoardTopics(found, stored.since, stored.until, stored.found_at)
    since, until, _ = period_ends(period, now)
    if mentions_of(session, brand_id, since, until) > AT_ONCE:
        return BoardTopics(None, since, until, now)
    return BoardTopics(topics_of(session, brand_id, since, until), since, until, now)


def topic_ids(
    session: Session, brand_id: int | None, since: datetime, until: datetime, topic: str
) -> tuple[int, ...] | None:
    """Return the mentions of a stored topic of exactly this window; None if it is not stored."""
    rows = session.scalars(
        select(TopicBoard).where(
            TopicBoard.brand_id == (brand_id or ALL),
            TopicBoard.since == since,
            TopicBoard.until == until,
        )
    )
    for row in rows:
        for one in read_kept(row).topics if row.found else ():
            if one.id == topic:
                return one.ids
    return None


def find_board_topics(sessions: sessionmaker[Session], *, clock: Clock = utc_now) -> int:
    """Find the topics of periods whose last ones are too old; return how many periods."""
    now, stop_at, done = clock(), time.monotonic() + BUDGET_S, 0
    with read_session(sessions) as session:
        own = select(Brand.id).where(Brand.is_own(), Brand.is_active).order_by(Brand.id)
        brands = [ALL, *session.scalars(own)]
        open_incidents = select(Incident.brand_id).where(Incident.open_key.is_not(None))
        in_crisis = set(session.scalars(open_incidents))
        ages = {
            (row.brand_id, row.period): row.found_at
            for row in session.execute(
                select(TopicBoard.brand_id, TopicBoard.period, TopicBoard.found_at)
            )
        }
    if in_crisis:
        in_crisis.add(ALL)
    for period, ordinary in OLDEST.items():
        for brand_id in brands:
            is_crisis = brand_id in in_crisis
            oldest = OLDEST_IN_CRISIS.get(period, ordinary) if is_crisis else ordinary
            found_at = ages.get((brand_id, period))
            if found_at is not None and now - found_at < oldest:
                continue
            _find(sessions, brand_id, period, now)
            done += 1
            if time.monotonic() > stop_at:
                return done
    return done


def _find(sessions: sessionmaker[Session], brand_id: int, period: str, now: datetime) -> None:
    since, until, _ = period_ends(period, now)
    keep_topics(sessions, brand_id, period, since=since, until=until, now=now)


def keep_topics(
    sessions: sessionmaker[Session],
    brand_id: int,
    period: str,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
) -> None:
    """Find the topics of a window, which takes seconds, and keep them by the period's name."""
    with read_session(sessions) as session:
        window = topics_of(session, brand_id or None, since, until)
    found = {
        "read": window.read,
        "every": window.every,
        "topics": [asdict(topic) for topic in window.topics],
    }
    keep_board(sessions, brand_id, period, since=since, until=until, now=now, found=found)


def keep_board(
    sessions: sessionmaker[Session],
    brand_id: int,
    period: str,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    found: Mapping[str, Any],
) -> None:
    """Write what was found of a window; nothing: that it is asked for."""
    row = {
        "brand_id": brand_id,
        "period": period,
        "since": since,
        "until": until,
        "found_at": now,
        "found": dict(found),
    }
    with sessions.begin() as session:
        upsert(
            session,
            TopicBoard,
            [row],
            key=("brand_id", "period"),
            update_columns=("since", "until", "found_at", "found"),
        )


def read_kept(row: TopicBoard) -> TopicWindow:
    """Return the topics that were kept."""
    topics = [
        Topic(
            **(
                one
                | {name: tuple(one[name]) for name in ("words", "top_ids", "ids")}
                | {"weights": tuple((word, weight) for word, weight in one["weights"])}
            )
        )
        for one in row.found["topics"]
    ]
    return TopicWindow(tuple(topics), row.found["read"], row.found["every"])


def mentions_of(session: Session, brand_id: int | None, since: datetime, until: datetime) -> int:
    """Return about how many mentions a window has, from the sums."""
    query = select(func.sum(Volume.mentions)).where(
        Volume.grain_s == max(GRAINS_S), Volume.bucket_at >= since, Volume.bucket_at < until
    )
    if brand_id is None:
        query = query.where(Volume.brand_id.not_in(others()))
    else:
        query = query.where(Volume.brand_id == brand_id)
    return int(session.scalar(query) or 0)
