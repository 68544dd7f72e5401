"""How long people took with what was flagged: by priority, by person, by week.

The clock of a mention begins when it came into the queue and stops when a person was done with
it. What is open still counts as open, not as fast: the median is of what was handled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, String, case, cast, func, select
from sqlalchemy.orm import Session

from config.db import is_sqlite
from config.phrases import phrase
from config.sampling import one_of
from crm_link.board.tables import Cell, Table
from crm_link.models import Flag
from crm_link.types import Priority
from listener.models import Brand

#: Flags whose times are read one by one; of more, every n-th. All of them are counted.
MOST_TIMED = 10_000

DEFINITION = phrase(
    "Of mentions that came into the queue in the window: handled are those that a person answered "
    "or closed; the time runs from the queue to then. Median and 90th percentile are of what was "
    "handled, of an even sample where more than 10,000 came; what is open is counted beside it. "
    "In time: handled by when the protocol says."
)


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """What happened to a group of flagged mentions.

    Args:
        name: A priority, a person's address, or the day on which a week begins.
        flagged: All of them; of a person, those that they handled.
        handled: Those that a person answered or closed.
        in_time: Handled ones that were in time.
        late: Handled too late, or open and overdue.
        median_s: Middle of the times, in seconds; None where nothing was handled.
        p90_s: The time that nine of ten were faster than.

    """

    name: str
    flagged: int
    handled: int
    in_time: int
    late: int
    median_s: float | None
    p90_s: float | None

    @property
    def open(self) -> int:
        """Those that nobody has handled yet."""
        return self.flagged - self.handled

    @property
    def share_in_time(self) -> float | None:
        """Share of those that are decided, handled in time or late; None where none is."""
        decided = self.in_time + self.late
        return self.in_time / decided if decided else None


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Response times of a window."""

    since: datetime
    until: datetime
    whole: ResponseRow
    priorities: Sequence[ResponseRow]
    people: Sequence[ResponseRow]
    weeks: Sequence[ResponseRow]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Flags of one priority, person and day."""

    priority: str
    handled_by: str | None
    week: date
    flagged: int
    handled: int
    in_time: int
    late: int


@dataclass(frozen=True, slots=True)
class _Timed:
    """How long one flag took."""

    priority: str
    handled_by: str | None
    week: date
    took_s: float


def read_response_times(
    session: Session, brand_id: int | None, since: datetime, until: datetime, *, now: datetime
) -> ResponseTimes:
    """Return how long people took.

    Args:
        session: The transaction.
        brand_id: The brand; None for all of ours together.
        since: Begin of the window, by when mentions came into the queue, included.
        until: Its end, excluded.
        now: The present: what is open and overdue now is late.

    """
    own = select(Brand.id).where(Brand.is_own())
    if brand_id is not None:
        own = own.where(Brand.id == brand_id)
    # Their ids first: the database would look the brand of each flag up.
    brand_ids = session.scalars(own).all()
    window = [Flag.brand_id.in_(brand_ids), Flag.created_at >= since, Flag.created_at < until]
    counted = _counts(session, window, now)
    every = max(1, -(-sum(one.flagged for one in counted) // MOST_TIMED))
    times = _times(session, window, every)
    order = {priority.value: place for place, priority in enumerate(Priority)}
    handled = [one for one in counted if one.handled_by is not None]
    timed = [one for one in times if one.handled_by is not None]
    return ResponseTimes(
        since=since,
        until=until,
        whole=_row("all", counted, times),
        priorities=sorted(
            _grouped(counted, times, lambda one: one.priority),
            key=lambda one: order.get(one.name, 99),
        ),
        people=sorted(
            _grouped(handled, timed, lambda one: str(one.handled_by)),
            key=lambda one: (-one.handled, one.name),
        ),
        weeks=sorted(
            _grouped(counted, times, lambda one: one.week.isoformat()),
            key=lambda one: one.name,
        ),
    )


def handled_at() -> Any:  # noqa: ANN401 - a SQL expression
    """Return when a person was done with a flag: the answer, or the end of the work on it."""
    return func.coalesce(Flag.answered_at, Flag.closed_at)


def handled_by() -> Any:  # noqa: ANN401 - a SQL expression
    """Return who was done with a flag."""
    return func.coalesce(Flag.answered_by, Flag.closed_by)


def due_at() -> Any:  # noqa: ANN401 - a SQL expression
    """Return by when the protocol wants a flag answered."""
    return Flag.due_at


def week_of(moment: datetime) -> datetime:
    """Return the begin of a moment's week, Monday at midnight UTC."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def responses_table(times: ResponseTimes) -> Table:
    """Return response times as one table."""
    groups = (
        ("all", (times.whole,)),
        ("priority", times.priorities),
        ("person", times.people),
        ("week", times.weeks),
    )
    return Table(
        header=(
            *("group", "name", "flagged", "handled", "open", "in_time", "late"),
            *("share_in_time", "median_s", "p90_s"),
        ),
        rows=tuple((group, *_cells(row)) for group, listed in groups for row in listed),
    )


def _cells(row: ResponseRow) -> tuple[Cell, ...]:
    return (
        *(row.name, row.flagged, row.handled, row.open, row.in_time, row.late),
        *(row.share_in_time, row.median_s, row.p90_s),
    )


def _counts(
    session: Session, window: Sequence[ColumnElement[bool]], now: datetime
) -> list[_Counted]:
    """Return the flags of a window, counted by the database: every one of them."""
    done, due = handled_at(), due_at()
    day = _day(session)
    rows = session.execute(
        select(
            Flag.priority,
            handled_by(),
            day,
            func.count(),
            func.count(done),
            func.sum(case((done <= due, 1), else_=0)),
            func.sum(case((func.coalesce(done, now) > due, 1), else_=0)),
        )
        .where(*window)
        .group_by(Flag.priority, handled_by(), day)
    )
    return [
        _Counted(str(row[0].value), row[1], _week(row[2]), *(int(one) for one in row[3:]))
        for row in rows
    ]


def _times(session: Session, window: Sequence[ColumnElement[bool]], every: int) -> list[_Timed]:
    """Return how long each handled flag of a window took, or every n-th."""
    query = select(Flag.priority, handled_by(), Flag.created_at, handled_at()).where(
        *window, handled_at().is_not(None)
    )
    if every > 1:
        query = query.where(one_of(every, Flag.mention_id))
    return [
        _Timed(
            str(priority.value),
            handled_by,
            week_of(created_at).date(),
            (handled_at - created_at).total_seconds(),
        )
        for priority, handled_by, created_at, handled_at in session.execute(query)
    ]


def _day(session: Session) -> ColumnElement[Any]:
    """Return the day (UTC) on which a flag came into the queue: a date, or its text."""
    if is_sqlite(session):
        return func.substr(Flag.created_at, 1, 10, type_=String())
    return cast(func.timezone("UTC", Flag.created_at), Date)


def _week(day: date | str) -> date:
    """Return the Monday of a day's week."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return found - timedelta(days=found.weekday())


def _grouped(
    counted: Sequence[_Counted],
    times: Sequence[_Timed],
    name_of: Callable[[_Counted | _Timed], str],
) -> list[ResponseRow]:
    groups: dict[str, tuple[list[_Counted], list[_Timed]]] = {}
    for one in counted:
        groups.setdefault(name_of(one), ([], []))[0].append(one)
    for timed in times:
        if (name := name_of(timed)) in groups:
            groups[name][1].append(timed)
    return [_row(name, *group) for name, group in groups.items()]


def _row(name: str, counted: Sequence[_Counted], times: Sequence[_Timed]) -> ResponseRow:
    took = sorted(one.took_s for one in times)
    return ResponseRow(
        name=name,
        flagged=sum(one.flagged for one in counted),
        handled=sum(one.handled for one in counted),
        in_time=sum(one.in_time for one in counted),
        late=sum(one.late for one in counted),
        median_s=_quantile(took, 0.5),
        p90_s=_quantile(took, 0.9),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value that this share of the sorted values does not exceed."""
    if not values:
        return None
    return values[min(int(share * len(values)), len(values) - 1)]
