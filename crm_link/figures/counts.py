"""Counting the figures of people of large windows, in advance.

One window is read without a lock, for some seconds, and written in one short transaction; what
was counted while somebody was erased is not written. A process that is killed leaves the figures
of before, with their time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.clock import Clock, utc_now
from config.db import is_sqlite, read_session
from config.logs import get_logger, place_of
from crm_link.figures.audience import audience_of
from crm_link.figures.models import FigurePerson, FigureWindow
from crm_link.figures.overview import Scored, social_figures
from crm_link.figures.people import keep_people
from crm_link.figures.segment_people import GROUPS, Speaker, list_speakers
from crm_link.figures.windows import (
    Window,
    add_windows,
    is_large,
    missing_windows,
    outdated_windows,
    window_named,
)

log = get_logger(__name__)

#: Longest list that is kept: as many people as a file has.
KEPT = 1_000

#: Names of the lists that have scores.
LEADS, CHURN = "leads", "churn"

#: After a count the worker leaves the database alone for so many times the seconds that it took,
#: unless a window was never counted: figures take a tenth of a core at most.
REST = 9

#: Seconds of one call after which the rest is left to the next one.
BUDGET_S = 2.0

#: Any number: the first key of the PostgreSQL advisory locks under which windows are counted.
_COUNT_LOCK = 715_190_133

#: Sums and lists of a window.
_Counted = tuple[dict[str, Any], list[dict[str, Any]]]


def count_figures(
    sessions: sessionmaker[Session],
    *,
    clock: Clock = utc_now,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Count the windows that are due, first those that never were; return how many."""
    _keep_windows(sessions, clock())
    done, tried, stop_at = 0, set[int](), time.monotonic() + BUDGET_S
    while not is_stopping() and time.monotonic() <= stop_at:
        with read_session(sessions) as session:
            window_id = _next_due(session, clock(), tried)
        if window_id is None:
            break
        tried.add(window_id)
        try:
            done += _count(sessions, window_id, clock())
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken window must not hold up the others
            kind, at = type(error).__name__, place_of(error)
            log.error("count of figures broke", window=window_id, kind=kind, at=at)
    return done


def _keep_windows(sessions: sessionmaker[Session], now: datetime) -> None:
    """Add the windows that are missing and drop those that nobody wants."""
    with read_session(sessions) as session:
        missing, outdated = missing_windows(session, now), outdated_windows(session, now)
    if missing or outdated:
        with sessions.begin() as session:
            add_windows(session, missing, now)
            session.execute(delete(FigureWindow).where(FigureWindow.id.in_(outdated)))


def _next_due(session: Session, now: datetime, tried: set[int]) -> int | None:
    due = [
        row
        for row in session.execute(
            select(FigureWindow.id, FigureWindow.counted_at)
            .where(FigureWindow.due_at <= now)
            .order_by(
                FigureWindow.counted_at.is_not(None),
                FigureWindow.asked_at.is_(None),
                FigureWindow.due_at,
                FigureWindow.took_s,  # the quick ones first
                FigureWindow.since.desc(),
            )
        )
        if row.id not in tried
    ]
    if not due or (due[0].counted_at is not None and now < _rests_until(session)):
        return None
    return int(due[0].id)


def _rests_until(session: Session) -> datetime:
    last = session.execute(
        select(FigureWindow.counted_at, FigureWindow.took_s)
        .where(FigureWindow.counted_at.is_not(None))
        .order_by(FigureWindow.counted_at.desc())
        .limit(1)
    ).one()
    until: datetime = last.counted_at + timedelta(seconds=last.took_s * (1 + REST))
    return until


def _count(sessions: sessionmaker[Session], window_id: int, now: datetime) -> int:
    """Count a window, unless another worker does; return whether it was stored."""
    begin = time.monotonic()
    with read_session(sessions) as session:
        if not is_sqlite(session) and not session.scalar(
            select(func.pg_try_advisory_xact_lock(_COUNT_LOCK, window_id))
        ):
            return 0
        row = session.get(FigureWindow, window_id)
        if row is None or row.due_at > now:
            return 0
        window = window_named(row.name, now)
        counted: _Counted | None = None
        if is_large(session, row.brand_id, window):
            counted = _counted(session, row.brand_id, window)
    took_s = time.monotonic() - begin
    with sessions.begin() as session:
        return _store(session, row, window, counted, now=now, took_s=took_s)


def _counted(session: Session, brand_id: int, window: Window) -> _Counted:
    since, until = window.since, window.until
    people = keep_people(session, brand_id, since, until)
    social = social_figures(session, brand_id, since, until, most=KEPT, people=people)
    audience = audience_of(
        session, brand_id, people, languages=social.languages, places=social.places
    )
    sums = {
        "segments": {name: asdict(size) for name, size in social.segments.items()},
        **{
            # In pairs: PostgreSQL's objects forget their order.
            name: list(getattr(social, name).items())
            for name in ("journey", "reasons", "languages", "places")
        },
        "first_answers": social.first_answers,
        "median_first_answer_s": social.median_first_answer_s,
        "people": audience.people,
        "with_bio": audience.with_bio,
        "with_place": audience.with_place,
        "interests": list(audience.interests.items()),
        "fits": [[fit.kind, fit.wanted, fit.people, fit.share] for fit in audience.fits],
    }
    rows = _rows_of_scored({LEADS: social.leads, CHURN: social.churn})
    for group in GROUPS:
        found = list_speakers(session, brand_id, since, until, group, limit=KEPT, people=people)
        rows += _rows_of_speakers(group, found)
    return sums, rows


def _rows_of_scored(lists: Mapping[str, Sequence[Scored]]) -> list[dict[str, Any]]:
    return [
        {
            "listing": listing,
            "place": place,
            "author_id": one.author_id,
            "mentions": None,
            "mean": None,
            "engagement": None,
            "parts": [{"name": name, "points": points} for name, points in one.parts.items()],
        }
        for listing, people in lists.items()
        for place, one in enumerate(people)
    ]


def _rows_of_speakers(listing: str, people: Sequence[Speaker]) -> list[dict[str, Any]]:
    return [
        {
            "listing": listing,
            "place": place,
            "author_id": one.author_id,
            "mentions": one.mentions,
            "mean": one.mean,
            "engagement": one.engagement,
            "parts": [],
        }
        for place, one in enumerate(people)
    ]


def _store(
    session: Session,
    seen: FigureWindow,
    window: Window,
    counted: _Counted | None,
    *,
    now: datetime,
    took_s: float,
) -> int:
    """Write what was counted, unless somebody changed what it is made of meanwhile."""
    row = session.scalar(
        select(FigureWindow)
        .where(FigureWindow.id == seen.id, FigureWindow.marks == seen.marks)
        .with_for_update()
    )
    if row is None:
        return 0
    if counted is None:
        session.delete(row)  # few mentions are left: they are counted when somebody asks
        return 0
    sums, people = counted
    row.since, row.until, row.counted_at = window.since, window.until, now
    row.due_at, row.took_s, row.sums = now + window.age, took_s, sums
    session.flush()
    session.execute(delete(FigurePerson).where(FigurePerson.window_id == row.id))
    insert_new(
        session,
        FigurePerson,
        [{"window_id": row.id} | one for one in people],
        key=("window_id", "listing", "place"),
    )
    log.info("figures counted", window=row.id, people=len(people), seconds=round(took_s, 1))
    return 1
