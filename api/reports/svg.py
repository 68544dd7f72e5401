"""The curve of a report as SVG: drawn here, without script, style attributes or fonts of its own.

Colours are presentation attributes, which any style sheet may override by class: browsers then
follow the reader's dark mode, and a PDF has them as they stand here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Protocol

from api.formats import decimal, local, short_local, zone_name
from api.language import gettext, ngettext
from sentiment.trends import TrendPoint, net_sentiment

#: Size of the drawing and of its two fields, in units of the view box.
WIDTH, HEIGHT = 720, 300
LEFT, RIGHT = 44, 12
BARS_TOP, BARS_BOTTOM = 34, 190
NET_TOP, NET_BOTTOM = 214, 274

#: Mentions that a point needs for its net sentiment to be drawn.
LEAST_JUDGED = 3

_INK, _QUIET, _LINE = "#17202a", "#5a6572", "#dfe3e8"
_ALL, _NEGATIVE, _NET, _MARK = "#b9c2cb", "#c8443c", "#1d5fa8", "#0f766e"

#: Words of marks stand in so many lines at most.
ROWS_OF_WORDS = 5

#: A moment that is marked, and its word.
Mark = tuple[datetime, str]


class Drawn(Protocol):
    """What a curve is drawn from."""

    @property
    def grain(self) -> timedelta:
        """Width of a point."""

    @property
    def points(self) -> Sequence[TrendPoint]:
        """The points, oldest first."""

    @property
    def peak(self) -> TrendPoint | None:
        """The point with most mentions."""


def curve_svg(curve: Drawn, marks: Sequence[Mark]) -> str:
    """Return the volume (negative in front) and net sentiment around an attack.

    Args:
        curve: What to draw.
        marks: Moments with a word for each, in the order of time.

    """
    points = curve.points
    top = max((point.mentions for point in points), default=0) or 1
    parts = [
        (
            f'<svg class="curve" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            'font-family="sans-serif" font-size="11">'
        ),
        f"<title>{escape(_summary(curve, top))}</title>",
    ]
    if points:
        scale = _Scale(points[0].at, points[-1].at + curve.grain)
        parts += _grid(top)
        parts += _bars(points, curve.grain, scale, top)
        parts += _net(points, curve.grain, scale)
        parts += _marks(marks, scale)
        parts += _dates(points, curve.grain)
    parts.append("</svg>")
    return "\n".join(parts)


class _Scale:
    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin = begin
        self._length = max((end - begin).total_seconds(), 1.0)

    def x(self, at: datetime) -> float:
        share = (at - self.begin).total_seconds() / self._length
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)


def _summary(curve: Drawn, top: int) -> str:
    mentions = sum(point.mentions for point in curve.points)
    whole = decimal(mentions)
    if curve.peak is None:
        return ngettext(
            "%(number)s mention; negative ones in front; net sentiment below",
            "%(number)s mentions; negative ones in front; net sentiment below",
            mentions,
            number=whole,
        )
    return ngettext(
        "%(number)s mention, most of them (%(top)s) at %(when)s; negative ones in front; net "
        "sentiment below",
        "%(number)s mentions, most of them (%(top)s) at %(when)s; negative ones in front; net "
        "sentiment below",
        mentions,
        number=whole,
        top=decimal(top),
        when=local(curve.peak.at),
    )


def _grid(top: int) -> list[str]:
    return [
        *_rule(BARS_TOP, decimal(top)),
        *_rule(BARS_BOTTOM, "0"),
        *_rule(NET_TOP, "+1"),
        *_rule((NET_TOP + NET_BOTTOM) / 2, "0"),
        *_rule(NET_BOTTOM, "\N{MINUS SIGN}1"),
        _text(
            LEFT, BARS_TOP - 20, gettext("mentions, negative in front"), "start", "quiet", _QUIET
        ),
        _text(LEFT, NET_TOP - 6, gettext("net sentiment"), "start", "quiet", _QUIET),
    ]


def _rule(y: float, label: str) -> list[str]:
    return [
        (
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" '
            f'stroke="{_LINE}" stroke-width="1"/>'
        ),
        _text(LEFT - 6, y + 4, label, "end", "quiet", _QUIET),
    ]


def _bars(points: Sequence[TrendPoint], grain: timedelta, scale: _Scale, top: int) -> list[str]:
    found = []
    for point in points:
        left, right = scale.x(point.at), scale.x(point.at + grain)
        width = max(round((right - left) * 0.84, 1), 0.5)
        for number, name, colour in (
            (point.mentions, "all", _ALL),
            (point.negative, "negative", _NEGATIVE),
        ):
            if number:
                height = round(number / top * (BARS_BOTTOM - BARS_TOP), 1)
                found.append(
                    f'<rect class="{name}" x="{left}" y="{round(BARS_BOTTOM - height, 1)}" '
                    f'width="{width}" height="{height}" fill="{colour}"/>'
                )
    return found


def _net(points: Sequence[TrendPoint], grain: timedelta, scale: _Scale) -> list[str]:
    """Return the line of net sentiment, broken where too little was judged."""
    middle, half = (NET_TOP + NET_BOTTOM) / 2, (NET_BOTTOM - NET_TOP) / 2
    runs: list[list[str]] = [[]]
    for point in points:
        net = net_sentiment([point])
        if net.value is None or net.judged < LEAST_JUDGED:
            runs.append([])
            continue
        runs[-1].append(f"{scale.x(point.at + grain / 2)},{round(middle - net.value * half, 1)}")
    found = []
    for run in runs:
        if len(run) == 1:
            x, _, y = run[0].partition(",")
            found.append(f'<circle class="net-dot" cx="{x}" cy="{y}" r="1.6" fill="{_NET}"/>')
        elif run:
            found.append(
                f'<polyline class="net" points="{" ".join(run)}" fill="none" stroke="{_NET}" '
                'stroke-width="1.8"/>'
            )
    return found


def _marks(marks: Sequence[Mark], scale: _Scale) -> list[str]:
    found = []
    ends = dict.fromkeys(range(ROWS_OF_WORDS), -1e9)
    for at, word in marks:
        x = scale.x(at)
        # A word that would lie on another one stands a line lower, or is left to the table.
        width = 6.2 * len(word) + 8
        is_left = x + width > WIDTH - RIGHT
        begin = x - width if is_left else x
        row = next((one for one, end in ends.items() if begin >= end), None)
        found.append(
            f'<line class="mark" x1="{x}" x2="{x}" y1="{BARS_TOP - 4}" y2="{NET_BOTTOM}" '
            f'stroke="{_MARK}" stroke-width="1" stroke-dasharray="3 2"/>'
        )
        if row is not None:
            ends[row] = begin + width
            y = BARS_TOP + 8 + 12 * row
            anchor, place = ("end", x - 3) if is_left else ("start", x + 3)
            found.append(_text(place, y, word, anchor, "mark-word", _MARK))
    return found


def _dates(points: Sequence[TrendPoint], grain: timedelta) -> list[str]:
    begin, end = points[0].at, points[-1].at + grain
    middle = begin + (end - begin) / 2
    return [
        _text(LEFT, HEIGHT - 8, short_local(begin), "start", "quiet", _QUIET),
        _text(
            (LEFT + WIDTH - RIGHT) / 2,
            HEIGHT - 8,
            short_local(middle),
            "middle",
            "quiet",
            _QUIET,
        ),
        _text(
            WIDTH - RIGHT,
            HEIGHT - 8,
            f"{short_local(end)} {zone_name(end)}",
            "end",
            "quiet",
            _QUIET,
        ),
    ]


def _text(x: float, y: float, words: str, anchor: str, name: str, colour: str) -> str:
    return (
        f'<text class="{name}" x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(words)}</text>'
    )
