"""Summing an hour's mentions for the board, again whenever they changed.

Hours are marked by the step of signals, the last one that changes a judgement. An hour is read
without a lock and written in one short transaction, with the quarter of a day that it is in; one
that changed meanwhile stays marked. Doing it twice changes nothing.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.bulk import insert_new
from config.clock import Clock, utc_now
from config.db import is_sqlite, read_session
from crm_link.countries import country_of
from listener.models import Author, Brand, Mention
from sentiment.corrections import EDITED
from sentiment.due_hours import HOUR_S
from sentiment.facet_models import FACET_GRAINS_S, DueHour, Facet, Influence, Place
from sentiment.facets import LEAST_PEOPLE
from sentiment.models import Correction
from sentiment.rollups import bucket_of
from sentiment.signal_filter import LIKELY
from sentiment.signal_models import MentionSignal
from sentiment.signal_sums import UNSURE, YES
from sentiment.types import Label

#: An hour is summed at most so often, in seconds: it changes all the time while it lasts.
SETTLES_S = 10.0

#: Seconds of one call after which the rest is left to the next one.
BUDGET_S = 2.0

#: Hours that one call looks at.
BATCH = 500

#: Authors of an hour who are kept: those with the largest followers x mentions.
MOST_AUTHORS = 25

#: Any number: the first key of the PostgreSQL advisory locks under which sums are written.
_SUM_LOCK = 715_190_121

#: What an import is called among the sources.
IMPORTED = "import"

#: What of a mention is summed.
_READ: tuple[Any, ...] = (
    Mention.label,
    Mention.lang,
    Mention.confidence,
    Mention.source_id,
    Mention.author_id,
    Author.location,
    Author.followers,
    MentionSignal.emotion,
    MentionSignal.intents,
    MentionSignal.complaint_reason,
    MentionSignal.spam,
    MentionSignal.bot,
    MentionSignal.irony,
    MentionSignal.offensive,
    MentionSignal.rules,
)

Row = dict[str, Any]
_COUNTS = ("mentions", "negative", "neutral", "positive", "unsure")


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
                sums = _sums_of(session, row.brand_id, row.hour_at)
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
        kept = _highest(kept)
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
        merged |= _people(merged["people"], {*one["who"].split(), *other["who"].split()})
    return merged


def _people(least: int, who: Iterable[str]) -> Row:
    """Return the columns for people: ids only while they are too few to be shown."""
    ids = sorted(set(who), key=int)
    count = max(least, len(ids))
    return {"people": count, "who": " ".join(ids) if count < LEAST_PEOPLE else ""}


def _highest(rows: Iterable[Row]) -> list[Row]:
    order = sorted(rows, key=lambda row: (-row["followers"] * row["mentions"], row["author_id"]))
    return order[:MOST_AUTHORS]


def _sums_of(
    session: Session, brand_id: int, hour_at: datetime
) -> list[tuple[type[Facet | Place | Influence], list[Row]]]:
    rows = session.execute(
        select(*_READ)
        .outerjoin(Author, Author.id == Mention.author_id)
        .outerjoin(MentionSignal, MentionSignal.mention_id == Mention.id)
        .where(*_inside(brand_id, hour_at), Mention.label.is_not(None))
    ).all()
    facets: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    places: defaultdict[str, Counter[str]] = defaultdict(Counter)
    people: defaultdict[str, set[str]] = defaultdict(set)
    authors: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts = _counts(row)
        for facet in _facets(row):
            facets[facet].update(counts)
        if row.author_id is None:
            continue
        country = country_of(row.location) if row.location else None
        if country:
            places[country].update(counts)
            people[country].add(str(row.author_id))
        authors[row.author_id].update(counts)
        authors[row.author_id]["followers"] = row.followers or 0
    for lang, agreed, checked in _checked(session, brand_id, hour_at):
        facets["checked", lang] = Counter(mentions=checked, positive=agreed)
    return [
        (
            Facet,
            [
                {"kind": kind, "value": value} | {name: counts[name] for name in _COUNTS}
                for (kind, value), counts in facets.items()
            ],
        ),
        (
            Place,
            [
                {"country": country}
                | {name: counts[name] for name in _COUNTS[:-1]}
                | _people(0, people[country])
                for country, counts in places.items()
            ],
        ),
        (
            Influence,
            _highest(
                {"author_id": author_id}
                | {name: counts[name] for name in ("followers", "mentions", "negative", "positive")}
                for author_id, counts in authors.items()
            ),
        ),
    ]


def _inside(brand_id: int, hour_at: datetime) -> list[Any]:
    return [
        Mention.brand_id == brand_id,
        Mention.published_at >= hour_at,
        Mention.published_at < hour_at + timedelta(seconds=HOUR_S),
        Mention.deleted_at.is_(None),
    ]


def _counts(row: ResultRow[Any]) -> Mapping[str, int]:
    is_read = row.label != Label.UNKNOWN
    return {
        "mentions": 1,
        **({row.label: 1} if is_read else {}),
        "unsure": int(is_read and row.confidence is not None and row.confidence < UNSURE),
    }


def _facets(row: ResultRow[Any]) -> Iterable[tuple[str, str]]:
    yield "lang", row.lang or "und"
    yield "source", IMPORTED if row.source_id is None else str(row.source_id)
    if row.emotion:
        yield "emotion", row.emotion
    if row.rules is None:
        return
    yield "signals", "known"
    for intent in row.intents.split():
        yield "intent", intent
    if row.complaint_reason:
        yield "reason", row.complaint_reason
    if row.irony is not None:
        yield "signals", "heads"
    for name, value, least in (
        ("spam", row.spam, LIKELY),
        ("bot", row.bot, LIKELY),
        ("ironic", row.irony, YES),
        ("offensive", row.offensive, YES),
    ):
        if value is not None and value >= least:
            yield "signals", name


def _checked(session: Session, brand_id: int, hour_at: datetime) -> Iterable[tuple[str, int, int]]:
    """Give by language how many labels a person agreed with, of how many they spoke on."""
    rows = session.execute(
        select(Mention.lang, Correction.label, Correction.model_label)
        .join(Mention, Mention.id == Correction.mention_id)
        .where(
            *_inside(brand_id, hour_at),
            Correction.model_label.is_not(None),
            Correction.model_label != Label.UNKNOWN.value,
            Correction.ended_at.is_(None) | (Correction.ended_by == EDITED),
        )
    ).all()
    checked = Counter(row.lang or "und" for row in rows)
    agreed = Counter(row.lang or "und" for row in rows if row.label == row.model_label)
    return [(lang, agreed[lang], count) for lang, count in checked.items()]
