"""The numbers behind each chart of the board as a table, as a CSV file has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from config.errors import InputError, NotFoundError
from crm_link.board import period_ends, read_board
from crm_link.csv_tables import guard_cell
from sentiment.share_of_voice import share_of_voice
from sentiment.topic_windows import topics_of
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
    since, until, _ = period_ends(period, now)
    found = topics_of(session, brand_id, since, until)
    rows: Sequence[tuple[Cell, ...]] = [
        (
            ", ".join(one.words),
            one.posts * found.every,
            None if one.posts_before is None else one.posts_before * found.every,
            one.stories * found.every,
            one.negative_share,
            "rising" if one.is_rising else "falling" if one.is_falling else "",
        )
        for one in found.topics
    ]
    header = ("topic", "mentions", "mentions_period_before", "stories", "negative_share", "change")
    return Table(header, tuple(rows))


_TABLES: dict[str, Callable[[Session, int | None, str, datetime], Table]] = {
    "volume": _volume,
    "platforms": _platforms,
    "share": _share,
    "topics": _topics,
}
