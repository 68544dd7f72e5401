"""The windows whose figures of people are counted in advance: which there are, and when.

Figures of people group a window's authors: of a million mentions that takes seconds, and no sum
of hours could replace it, because an author speaks in many. A window of few mentions is counted
when it is asked for; a larger one is a row here, which `crm_link.figures.counts` finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from config.bulk import insert_new
from crm_link.figures.groups import in_window
from crm_link.figures.models import FigureWindow
from listener.models import Brand, Mention

#: Days of the windows that are kept for every brand: those that the page offers.
DAYS = (7, 30, 90)

#: Mentions up to which a window is counted when it is asked for.
AT_ONCE = 2_000

#: A window is counted again after this part of its length: it is never off by much.
AGE = 1 / 720

#: And not more often than this, however short it is.
LEAST_AGE = timedelta(minutes=5)

#: Windows that somebody asked for are kept this long after the last time, and so many a brand.
KEEP_ASKED = timedelta(days=7)
MOST_ASKED = 20

#: How old `asked_at` may be before a reader writes it anew.
ASKED_GRAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Which mentions figures are of.

    Args:
        name: By which the window is found again.
        since: Its begin, included.
        until: Its end, excluded.

    """

    name: str
    since: datetime
    until: datetime

    @property
    def age(self) -> timedelta:
        """How old its figures may be before they are counted again."""
        return max(LEAST_AGE, (self.until - self.since) * AGE)


def last_days(days: int, now: datetime) -> Window:
    """Return the last so many days."""
    return Window(f"{days}d", now - timedelta(days=days), now)


def between(since: datetime, until: datetime | None, now: datetime) -> Window:
    """Return the window between two times, or up to now.

    One that ends now begins at a whole hour: who asks for "the last 30 days" in times gets a
    little more of the past, and finds within the hour what was counted for the first question.
    """
    if until is None:
        whole = since.replace(minute=0, second=0, microsecond=0)
        return Window(f"{whole.isoformat()}/", whole, now)
    return Window(f"{since.isoformat()}/{until.isoformat()}", since, until)


def window_named(name: str, now: datetime) -> Window:
    """Return the window of a stored name, as it is now."""
    since, is_range, until = name.partition("/")
    if not is_range:
        return last_days(int(name.removesuffix("d")), now)
    return between(
        datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None, now
    )


def is_large(session: Session, brand_id: int, window: Window) -> bool:
    """Say whether a window has too many mentions to be counted while somebody waits."""
    first = (
        select(Mention.id)
        .where(in_window(brand_id, window.since, window.until))
        .limit(AT_ONCE + 1)
        .subquery()
    )
    return (session.scalar(select(func.count()).select_from(first)) or 0) > AT_ONCE


def ask_window(session: Session, brand_id: int, window: Window, now: datetime) -> None:
    """Let a window be counted soon, and kept while somebody asks for it."""
    insert_new(session, FigureWindow, [_row(brand_id, window, now, asked_at=now)], key=_KEY)
    session.execute(
        update(FigureWindow)
        .where(
            FigureWindow.brand_id == brand_id,
            FigureWindow.name == window.name,
            # One that was never counted keeps the time since which somebody waits.
            FigureWindow.counted_at.is_not(None),
            FigureWindow.asked_at.is_not(None),
        )
        .values(asked_at=now)
    )
    longest = (
        select(FigureWindow.id)
        .where(FigureWindow.brand_id == brand_id, FigureWindow.name.not_in(_OFFERED))
        .order_by(FigureWindow.asked_at.desc(), FigureWindow.id.desc())
        .offset(MOST_ASKED)
    )
    ids = session.scalars(longest).all()
    if ids:
        session.execute(delete(FigureWindow).where(FigureWindow.id.in_(ids)))


def mark_windows(session: Session, now: datetime, *, brand_id: int | None = None) -> None:
    """Let windows be counted anew: what they are made of was changed by a person.

    A count that runs at this moment is not stored.

    Args:
        session: The transaction.
        now: The present.
        brand_id: The brand; all of them where it is left out.

    """
    change = update(FigureWindow).values(marks=FigureWindow.marks + 1, due_at=now)
    if brand_id is not None:
        change = change.where(FigureWindow.brand_id == brand_id)
    session.execute(change, execution_options={"synchronize_session": False})


def missing_windows(session: Session, now: datetime) -> list[tuple[int, Window]]:
    """Return the windows that brands should have and have not, those of few mentions left out."""
    known = {
        (row.brand_id, row.name)
        for row in session.execute(
            select(FigureWindow.brand_id, FigureWindow.name).where(FigureWindow.name.in_(_OFFERED))
        )
    }
    found = []
    for brand_id in session.scalars(select(Brand.id).where(_is_watched()).order_by(Brand.id)):
        for window in (last_days(days, now) for days in sorted(DAYS, reverse=True)):
            if (brand_id, window.name) in known:
                continue
            if not is_large(session, brand_id, window):
                break  # nor are the shorter ones
            found.append((brand_id, window))
    return found


def outdated_windows(session: Session, now: datetime) -> list[int]:
    """Return the windows that nobody wants any more: long not asked for, or of no such brand."""
    watched = select(Brand.id).where(_is_watched())
    is_kept = FigureWindow.name.in_(_OFFERED) & FigureWindow.brand_id.in_(watched)
    asked = func.coalesce(FigureWindow.asked_at, datetime.min.replace(tzinfo=UTC))
    return list(session.scalars(select(FigureWindow.id).where(~is_kept, asked < now - KEEP_ASKED)))


def add_windows(session: Session, found: list[tuple[int, Window]], now: datetime) -> None:
    """Let these windows be counted."""
    rows = [_row(brand_id, window, now, asked_at=None) for brand_id, window in found]
    insert_new(session, FigureWindow, rows, key=_KEY)


_KEY = ("brand_id", "name")
_OFFERED = tuple(f"{days}d" for days in DAYS)


def _is_watched() -> ColumnElement[bool]:
    return Brand.is_own() & Brand.is_active


def _row(
    brand_id: int, window: Window, now: datetime, *, asked_at: datetime | None
) -> dict[str, object]:
    return {
        "brand_id": brand_id,
        "name": window.name,
        "since": window.since,
        "until": window.until,
        "asked_at": asked_at,
        "due_at": now,
        "marks": 0,
        "counted_at": None,
        "took_s": 0.0,
        "sums": {},
    }
