"""A window's languages, emotions, intents, sources and places, read from the sums by hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from listener.models import Brand
from sentiment.facet_models import FACET_GRAINS_S, Facet, Influence, Place
from sentiment.rollups import bucket_of
from sentiment.trends import NetSentiment, TrendPoint, net_sentiment

#: Windows up to this length are read by the hour, longer ones by the quarter of a day.
BY_HOUR = timedelta(days=2)

#: A place is shown from so many people on who state it: fewer might be known by it.
LEAST_PEOPLE = 10


@dataclass(frozen=True, slots=True)
class FacetSum:
    """How many mentions of a window have one value.

    Args:
        value: A language, an emotion, an intent, a source's id, a country, ...
        mentions: All of them.
        before: Those of the window of the same length before.
        read: Those of `mentions` that got a polarity.
        unsure: Those of `read` with a low confidence.
        net: Their net sentiment.

    """

    value: str
    mentions: int
    before: int
    read: int
    unsure: int
    net: NetSentiment


@dataclass(frozen=True, slots=True)
class Facets:
    """The sums of a window, by kind: the biggest first."""

    kinds: Mapping[str, tuple[FacetSum, ...]]

    def of(self, kind: str) -> tuple[FacetSum, ...]:
        """Return the values of a kind that mentions have."""
        return self.kinds.get(kind, ())

    def count(self, kind: str, value: str) -> int:
        """Return how many mentions have a value."""
        return next((one.mentions for one in self.of(kind) if one.value == value), 0)


@dataclass(frozen=True, slots=True)
class Reach:
    """How often somebody with reach spoke in a window."""

    author_id: int
    followers: int
    mentions: int
    negative: int
    positive: int


def facets_of(session: Session, brand_id: int | None, since: datetime, until: datetime) -> Facets:
    """Return the sums of a window of whole buckets; None sums all brands."""
    now = _sums(session, brand_id, since, until)
    old = {
        (kind, value): counts[0]
        for (kind, value), counts in _sums(
            session, brand_id, since - (until - since), since
        ).items()
    }
    kinds: dict[str, list[FacetSum]] = {}
    for (kind, value), counts in now.items():
        kinds.setdefault(kind, []).append(_sum(value, counts, old.get((kind, value), 0)))
    return Facets(
        {
            kind: tuple(sorted(found, key=lambda one: (-one.mentions, one.value)))
            for kind, found in kinds.items()
        }
    )


def facet_series(
    session: Session,
    brand_id: int | None,
    since: datetime,
    until: datetime,
    *,
    kind: str,
    grain_s: int,
) -> dict[datetime, Counter[str]]:
    """Return how many mentions have each value of a kind, per point; empty points included."""
    points: dict[datetime, Counter[str]] = {}
    at = bucket_of(since, grain_s)
    while at < until:
        points[at] = Counter()
        at += timedelta(seconds=grain_s)
    rows = session.execute(
        select(Facet.bucket_at, Facet.value, func.sum(Facet.mentions))
        .where(Facet.kind == kind, *_in(session, Facet, brand_id, since, until))
        .group_by(Facet.bucket_at, Facet.value)
    )
    for bucket_at, value, mentions in rows:
        points[bucket_of(bucket_at, grain_s)][value] += int(mentions)
    return points


def places_of(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> tuple[FacetSum, ...]:
    """Return from which countries people spoke, those that at least `LEAST_PEOPLE` state."""
    inside = _in(session, Place, brand_id, since, until)
    counts = (Place.mentions, Place.negative, Place.neutral, Place.positive)
    rows = session.execute(
        select(Place.country, *(func.sum(one) for one in counts), func.max(Place.people))
        .where(*inside)
        .group_by(Place.country)
    ).all()
    few = [row[0] for row in rows if row[5] < LEAST_PEOPLE]
    people: dict[str, set[str]] = {}
    if few:
        for country, who in session.execute(
            select(Place.country, Place.who).where(*inside, Place.country.in_(few))
        ):
            people.setdefault(country, set()).update(who.split())
    length = until - since
    before = dict(
        session.execute(
            select(Place.country, func.sum(Place.mentions))
            .where(*_in(session, Place, brand_id, since - length, since))
            .group_by(Place.country)
        ).all()
    )
    found = [
        _sum(row[0], (*map(int, row[1:5]), 0), int(before.get(row[0], 0)))
        for row in rows
        if row[5] >= LEAST_PEOPLE or len(people.get(row[0], ())) >= LEAST_PEOPLE
    ]
    return tuple(sorted(found, key=lambda one: (-one.mentions, one.value)))


def reaches_of(
    session: Session, brand_id: int | None, since: datetime, until: datetime, *, most: int
) -> list[Reach]:
    """Return who reached most in a window: followers times mentions."""
    total, followers = func.sum(Influence.mentions), func.max(Influence.followers)
    rows = session.execute(
        select(
            Influence.author_id,
            followers,
            total,
            func.sum(Influence.negative),
            func.sum(Influence.positive),
        )
        .where(*_in(session, Influence, brand_id, since, until))
        .group_by(Influence.author_id)
        .order_by((followers * total).desc(), total.desc(), Influence.author_id)
        .limit(most)
    )
    return [Reach(*map(int, row)) for row in rows]


def _sums(
    session: Session, brand_id: int | None, since: datetime, until: datetime
) -> dict[tuple[str, str], tuple[int, ...]]:
    counts = (Facet.mentions, Facet.negative, Facet.neutral, Facet.positive, Facet.unsure)
    rows = session.execute(
        select(Facet.kind, Facet.value, *(func.sum(one) for one in counts))
        .where(*_in(session, Facet, brand_id, since, until))
        .group_by(Facet.kind, Facet.value)
    )
    return {(row[0], row[1]): tuple(map(int, row[2:])) for row in rows if row[2]}


def _sum(value: str, counts: tuple[int, ...], before: int) -> FacetSum:
    mentions, negative, neutral, positive, unsure = counts
    point = TrendPoint(datetime.min, negative, neutral, positive, 0)  # noqa: DTZ901 - not looked at
    read = negative + neutral + positive
    return FacetSum(value, mentions, before, read, unsure, net_sentiment([point]))


def _in(
    session: Session,
    table: type[Facet | Place | Influence],
    brand_id: int | None,
    since: datetime,
    until: datetime,
) -> list[ColumnElement[bool]]:
    """Return the conditions that a sum is in a window, for one range of the primary key each."""
    grain_s = min(FACET_GRAINS_S) if until - since <= BY_HOUR else max(FACET_GRAINS_S)
    ids = [brand_id]
    if brand_id is None:
        ids = list(session.scalars(select(Brand.id).where(Brand.is_own())))
    return [
        table.brand_id.in_(ids),
        table.grain_s == grain_s,
        table.bucket_at >= since,
        table.bucket_at < until,
    ]
