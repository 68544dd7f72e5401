"""Summing an hour's mentions for the board, again whenever they changed.

Hours are marked by the step of signals, the last one that changes a judgement. An hour is read
without a lock and written in one short transaction, with the quarter of a day that it is in; one
that changed meanwhile stays marked. Doing it twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.clock import Clock, utc_now
from config.db import is_sqlite, read_session
from crm_link.board.hour_sums import Row, highest, people_columns, sums_of
from listener.models import Brand
from sentiment.due_hours import HOUR_S
from sentiment.facet_models import FACET_GRAINS_S, DueHour, Facet, Influence, Place
from sentiment.rollups import bucket_of

#: An hour is summed at most so often, in seconds: it changes all the time while it lasts.
SETTLES_S = 10.0

#: Seconds of one call after which the rest is left to the next one.
BUDGET_S = 2.0

#: Hours that one call looks at.
BATCH = 500

#: Any number: the first key of the PostgreSQL advisory locks under which sums are written.
_SUM_LOCK = 715_190_121


def sum_hours(
    sessions: sessionmaker[Session], *, clock: Clock = utc_now, settles_s: float = SETTLES_S
) -> int:
    """Sum the hours that changed, the newest first; return how many were summed."""
    with read_session(sessions) as session:
        due = session.execute(
            select(DueHour.brand_id, DueHour.hour_at, DueHour.marks, Brand.competitor_of_id)
            .join(Brand, Brand.id == DueHour.brand_id)
            .where(DueHour.marked_at <= clock() - timedelta(seconds=settles_s))
            .order_by(DueHour.hour_at.desc(), DueHour.brand_id)
            .limit(BATCH)
        ).all()
    done, stop_at = 0, time.monotonic() + BUDGET_S
    for row in due:
        sums: list[tuple[type[Facet | Place | Influence], list[Row]]] = []
        if row.competitor_of_id is None:
            with read_session(sessions) as session:
                sums = sums_of(session, row.brand_id, row.hour_at)
        with sessions.begin() as session:
            done += _store(session, row.brand_id, row.hour_at, row.marks, sums)
        if time.monotonic() > stop_at:
            break
    return done


def _store(
    session: Session,
    brand_id: int,
    hour_at: datetime,
    marks: int,
    sums: Sequence[tuple[type[Facet | Place | Influence], list[Row]]],
) -> int:
    """Write an hour and what it is part of, unless it changed or another process did."""
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(_SUM_LOCK, brand_id)))
    gone = session.execute(
        delete(DueHour)
        .where(DueHour.brand_id == brand_id, DueHour.hour_at == hour_at, DueHour.marks == marks)
        .returning(DueHour.brand_id)
    ).all()
    if not gone:
        return 0
    for table, rows in sums:
        _replace(session, table, brand_id, HOUR_S, hour_at, rows)
        for grain_s in FACET_GRAINS_S:
            if grain_s != HOUR_S:
                _widen(session, table, brand_id, grain_s, bucket_of(hour_at, grain_s))
    return 1


def _replace(
    session: Session,
    table: type[Facet | Place | Influence],
    brand_id: int,
    grain_s: int,
    bucket_at: datetime,
    rows: Iterable[Row],
) -> None:
    place = {"brand_id": brand_id, "grain_s": grain_s, "bucket_at": bucket_at}
    session.execute(
        delete(table).where(*(getattr(table, name) == value for name, value in place.items()))
    )
    key = [column.name for column in table.__table__.primary_key]
    insert_new(session, table, [place | row for row in rows], key=key)


def _widen(
    session: Session,
    table: type[Facet | Place | Influence],
    brand_id: int,
    grain_s: int,
    bucket_at: datetime,
) -> None:
    """Sum a wider bucket from its hours."""
    names = [column.name for column in table.__table__.columns][3:]
    rows = session.execute(
        select(*(getattr(table, name) for name in names)).where(
            table.brand_id == brand_id,
            table.grain_s == HOUR_S,
            table.bucket_at >= bucket_at,
            table.bucket_at < bucket_at + timedelta(seconds=grain_s),
        )
    ).all()
    wide: dict[tuple[object, ...], Row] = {}
    size = 2 if table is Facet else 1
    for row in rows:
        values = dict(zip(names, row, strict=True))
        key = tuple(row[:size])
        known = wide.get(key)
        wide[key] = values if known is None else _merged(known, values, names[size:])
    kept = list(wide.values())
    if table is Influence:
        kept = highest(kept)
    _replace(session, table, brand_id, grain_s, bucket_at, kept)


def _merged(one: Row, other: Row, names: Sequence[str]) -> Row:
    merged = dict(one)
    for name in names:
        if name == "who":
            continue
        if name in {"followers", "people"}:
            merged[name] = max(one[name], other[name])
        else:
            merged[name] = one[name] + other[name]
    if "who" in names:
        merged |= people_columns(merged["people"], {*one["who"].split(), *other["who"].split()})
    return merged
