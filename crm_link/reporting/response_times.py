"""How long people took with what was flagged: by priority, by person, by week.

The clock of a mention begins when it came into the queue and stops when a person was done with
it. What is open still counts as open, not as fast: the median is of what was handled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from config.phrases import phrase
from crm_link.board_tables import Cell, Table
from crm_link.models import Flag
from crm_link.types import Priority
from listener.models import Brand

#: Flags that are read at most, the newest ones.
MOST_FLAGS = 200_000

DEFINITION = phrase(
    "Of mentions that came into the queue in the window: handled are those that a person answered "
    "or closed; the time runs from the queue to then. Median and 90th percentile are of what was "
    "handled; what is open is counted beside it. In time: handled by when the protocol says."
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
    query = (
        select(
            Flag.priority,
            Flag.created_at,
            handled_at().label("handled_at"),
            handled_by().label("handled_by"),
            due_at().label("due_at"),
        )
        .join(Brand, Brand.id == Flag.brand_id)
        .where(Flag.created_at >= since, Flag.created_at < until, Brand.is_own())
        .order_by(Flag.created_at.desc())
        .limit(MOST_FLAGS)
    )
    if brand_id is not None:
        query = query.where(Flag.brand_id == brand_id)
    rows = session.execute(query).all()
    order = {priority.value: place for place, priority in enumerate(Priority)}
    priorities = _grouped(rows, lambda row: str(row.priority.value), now)
    handled = [row for row in rows if row.handled_by is not None]
    people = _grouped(handled, lambda row: str(row.handled_by), now)
    return ResponseTimes(
        since=since,
        until=until,
        whole=_row("all", rows, now),
        priorities=sorted(priorities, key=lambda one: order.get(one.name, 99)),
        people=sorted(people, key=lambda one: (-one.handled, one.name)),
        weeks=sorted(
            _grouped(rows, lambda row: week_of(row.created_at).date().isoformat(), now),
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


def _grouped(
    rows: Sequence[Row[Any]], name_of: Callable[[Row[Any]], str], now: datetime
) -> list[ResponseRow]:
    groups: dict[str, list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault(name_of(row), []).append(row)
    return [_row(name, group, now) for name, group in groups.items()]


def _row(name: str, rows: Sequence[Row[Any]], now: datetime) -> ResponseRow:
    took = sorted(
        (row.handled_at - row.created_at).total_seconds()
        for row in rows
        if row.handled_at is not None
    )
    in_time = late = 0
    for row in rows:
        if row.due_at is None:
            continue
        if (row.handled_at or now) > row.due_at:
            late += 1
        elif row.handled_at is not None:
            in_time += 1
    return ResponseRow(
        name=name,
        flagged=len(rows),
        handled=len(took),
        in_time=in_time,
        late=late,
        median_s=_quantile(took, 0.5),
        p90_s=_quantile(took, 0.9),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value that this share of the sorted values does not exceed."""
    if not values:
        return None
    return values[min(int(share * len(values)), len(values) - 1)]
