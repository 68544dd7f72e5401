"""Where a collection starts: the cursor that belongs to exactly this question."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.bulk import upsert
from config.clock import to_utc
from listener.collection_models import SourceCursor
from listener.collector import Collector
from listener.models import Brand, Source
from listener.query import parse
from listener.types import Walk

#: How far a first run looks back: a flood of old posts would raise old alarms.
FIRST_LOOK_BACK = timedelta(days=1)

#: Begins the key of a cursor that a bounded backfill leaves until it is done.
BACKFILL = "backfill-"


@dataclass(frozen=True, slots=True)
class Plan:
    """One collection: what is asked, and where its progress is kept."""

    source_id: int
    brand_id: int
    platform: str
    walk: Walk
    cursor_key: str
    is_backfill: bool


def make_plan(
    session: Session,
    source_id: int,
    collector: Collector,
    *,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Plan:
    """Return what the next collection of a source asks.

    A cursor is valid for one query, one set of options and one credential and host. An
    edited query therefore starts like a first run: bounded, never with another's cursor.
    A backfill (`since` where a cursor exists, or `until`) keeps a cursor of its own.
    """
    source = session.get_one(Source, source_id)
    brand = session.get_one(Brand, source.brand_id)
    query = parse(brand.query)
    asked = [
        source.platform,
        str(query) if collector.matches_query else "",
        collector.identity(),
        source.options,
    ]
    key = hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
    stored = _find_cursor(session, source_id, key)
    since = to_utc(since) if since is not None else None
    until = to_utc(until) if until is not None else None
    is_backfill = until is not None or (since is not None and stored is not None)
    if is_backfill:
        bounds = f"{key} {since and since.isoformat()} {until and until.isoformat()}"
        key = BACKFILL + hashlib.sha256(bounds.encode()).hexdigest()[:48]
        stored = _find_cursor(session, source_id, key)
    if since is None:
        # After an outage the cursor reaches back further than a first run may.
        since = (stored.updated_at if stored else until or now) - FIRST_LOOK_BACK
    walk = Walk(
        cursor=stored.cursor if stored else None,
        query=query,
        since=since,
        now=now,
        until=until,
        options=source.options,
    )
    return Plan(
        source_id=source_id,
        brand_id=source.brand_id,
        platform=collector.stores_as or source.platform,
        walk=walk,
        cursor_key=key,
        is_backfill=is_backfill,
    )


def save_cursor(session: Session, plan: Plan, cursor: str, now: datetime) -> None:
    """Keep where the next collection of the plan's question starts."""
    row = {
        "source_id": plan.source_id,
        "key": plan.cursor_key,
        "cursor": cursor,
        "updated_at": now,
    }
    upsert(
        session,
        SourceCursor,
        [row],
        key=("source_id", "key"),
        update_columns=("cursor", "updated_at"),
    )


def drop_cursor(session: Session, plan: Plan) -> None:
    """Forget the cursor of a backfill that is done."""
    session.execute(
        delete(SourceCursor).where(
            SourceCursor.source_id == plan.source_id, SourceCursor.key == plan.cursor_key
        )
    )


def _find_cursor(session: Session, source_id: int, key: str) -> SourceCursor | None:
    return session.scalar(
        select(SourceCursor).where(SourceCursor.source_id == source_id, SourceCursor.key == key)
    )
