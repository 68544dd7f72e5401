"""The numbers behind each chart of the board as a table, as a CSV file has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from config.errors import InputError, NotFoundError
from crm_link.board.period import period_ends, read_board
from crm_link.board.topics import board_topics
from crm_link.board.voices import board_sources, influencers_of
from crm_link.contacts.csv_tables import guard_cell
from sentiment.facets import FacetSum, facet_series, facets_of, places_of
from sentiment.heads import EMOTIONS
from sentiment.share_of_voice import share_of_voice
from sentiment.trends import NetSentiment, TrendPoint

Cell = str | int | float | None

_POLARITY = ("mentions", "negative", "neutral", "positive", "unread")
_NET = ("net", "net_low", "net_high")


@dataclass(frozen=True, slots=True)
class Table:
    """A header and its rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def board_table(
    session: Session, chart: str, brand_id: int | None, *, period: str, now: datetime
) -> Table:
    """Return the numbers of a chart of the board.

    Raises:
        NotFoundError: There is no such chart.
        InputError: It is a chart of one brand, and none was named.

    """
    maker = _TABLES.get(chart)
    if maker is None:
        raise NotFoundError(f"there is no chart '{chart}'; known: {', '.join(_TABLES)}")
    return maker(session, brand_id, period, now)


def as_csv(table: Table) -> str:
    """Return a table as CSV, with no cell that a spreadsheet would run."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(table.header)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return file.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else guard_cell(str(value))


def _counts(point: TrendPoint) -> tuple[Cell, ...]:
    return (point.mentions, point.negative, point.neutral, point.positive, point.unknown)


def _net(net: NetSentiment) -> tuple[Cell, ...]:
    return (net.value, net.low, net.high)


def _volume(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    board = read_board(session, brand_id, period=period, now=now)
    rows = [
        (point.at.isoformat(), *_counts(point), *_net(net), old.mentions)
        for (point, net), old in zip(board.points_with_net(), board.points_before, strict=True)
    ]
    return Table(("from_utc", *_POLARITY, *_NET, "mentions_period_before"), tuple(rows))


def _platforms(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    board = read_board(session, brand_id, period=period, now=now)
    rows = [(one.platform, *_counts(one.total), *_net(one.net)) for one in board.platforms]
    return Table(("platform", *_POLARITY, *_NET), tuple(rows))


def _share(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    if brand_id is None:
        raise InputError("the share of voice is one brand's: name it with brand")
    since, until, _ = period_ends(period, now)
    rows = [
        (
            one.name,
            one.mentions,
            one.share,
            one.low,
            one.high,
            one.share_before,
            *_net(one.net),
        )
        for one in share_of_voice(session, brand_id, since, until).voices
    ]
    header = ("brand", "mentions", "share", "share_low", "share_high", "share_period_before")
    return Table((*header, *_NET), tuple(rows))


def _topics(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    found = board_topics(session, brand_id, period=period, now=now).window
    rows: Sequence[tuple[Cell, ...]] = [
        (
            ", ".join(one.words),
            one.posts * found.every,
            None if one.posts_before is None else one.posts_before * found.every,
            one.stories * found.every,
            one.negative_share,
            "rising" if one.is_rising else "falling" if one.is_falling else "",
        )
        for one in (found.topics if found is not None else ())
        if found is not None
    ]
    header = ("topic", "mentions", "mentions_period_before", "stories", "negative_share", "change")
    return Table(header, tuple(rows))


def _emotions(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    since, until, grain_s = period_ends(period, now)
    points = facet_series(session, brand_id, since, until, kind="emotion", grain_s=grain_s)
    rows: list[tuple[Cell, ...]] = [
        (at.isoformat(), *(counts[one] for one in EMOTIONS)) for at, counts in points.items()
    ]
    return Table(("from_utc", *EMOTIONS), tuple(rows))


def _facet(kind: str, session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    since, until, _ = period_ends(period, now)
    return _sums(kind, facets_of(session, brand_id, since, until).of(kind))


def _places(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    since, until, _ = period_ends(period, now)
    return _sums("country", places_of(session, brand_id, since, until))


def _sources(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    since, until, _ = period_ends(period, now)
    found = board_sources(session, brand_id, since, until)
    named = [replace(one.sum, value=one.source.name if one.source else "") for one in found]
    return _sums("source", named)


def _sums(name: str, found: Sequence[FacetSum]) -> Table:
    rows = [(one.value, one.mentions, one.before, one.read, *_net(one.net)) for one in found]
    return Table((name, "mentions", "mentions_period_before", "read", *_NET), tuple(rows))


def _influencers(session: Session, brand_id: int | None, period: str, now: datetime) -> Table:
    since, until, _ = period_ends(period, now)
    rows = [
        (
            one.author.platform,
            one.author.handle or one.author.name,
            one.reach.followers,
            one.reach.mentions,
            one.reach.negative,
            one.reach.positive,
            one.impressions,
            one.last.url if one.last else None,
        )
        for one in influencers_of(session, brand_id, since, until)
    ]
    header = ("platform", "account", "followers", "mentions", "negative", "positive")
    return Table((*header, "impressions_at_most", "last_post"), tuple(rows))


_TABLES: dict[str, Callable[[Session, int | None, str, datetime], Table]] = {
    "volume": _volume,
    "platforms": _platforms,
    "share": _share,
    "topics": _topics,
    "emotions": _emotions,
    "intents": partial(_facet, "intent"),
    "reasons": partial(_facet, "reason"),
    "languages": partial(_facet, "lang"),
    "places": _places,
    "sources": _sources,
    "influencers": _influencers,
}
