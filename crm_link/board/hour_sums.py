"""What is summed of an hour's mentions: read in one go, without writing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_link.linking.countries import country_of
from listener.models import Author, Mention
from sentiment.corrections import EDITED
from sentiment.due_hours import HOUR_S
from sentiment.facet_models import Facet, Influence, Place
from sentiment.facets import LEAST_PEOPLE
from sentiment.models import Correction
from sentiment.signals.filter import LIKELY
from sentiment.signals.models import MentionSignal
from sentiment.signals.sums import UNSURE, YES
from sentiment.types import Label

#: Authors of an hour who are kept: those with the largest followers x mentions.
MOST_AUTHORS = 25

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

#: Columns of a row of a table of sums.
Row = dict[str, Any]
_COUNTS = ("mentions", "negative", "neutral", "positive", "unsure")


def sums_of(
    session: Session, brand_id: int, hour_at: datetime
) -> list[tuple[type[Facet | Place | Influence], list[Row]]]:
    """Return the rows of each table of sums for an hour of a brand, without the hour itself."""
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
                | people_columns(0, people[country])
                for country, counts in places.items()
            ],
        ),
        (
            Influence,
            highest(
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


def people_columns(least: int, who: Iterable[str]) -> Row:
    """Return the columns for people: ids only while they are too few to be shown."""
    ids = sorted(set(who), key=int)
    count = max(least, len(ids))
    return {"people": count, "who": " ".join(ids) if count < LEAST_PEOPLE else ""}


def highest(rows: Iterable[Row]) -> list[Row]:
    """Return the authors that are kept: those with the largest followers x mentions."""
    order = sorted(rows, key=lambda row: (-row["followers"] * row["mentions"], row["author_id"]))
    return order[:MOST_AUTHORS]
