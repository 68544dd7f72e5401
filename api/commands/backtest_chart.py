"""A backtest, drawn: for the terminal with block characters, and as a page with pictures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from sentiment.backtest import Backtest, Budget, PastAlert, PastHour

#: Eighths of a character's height, from nothing to all of it.
_BLOCKS = " ▁▂▃▄▅▆▇█"

#: Size of a picture, in its own units.
WIDTH, HEIGHT, LEFT, BOTTOM = 960, 220, 46, 22

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 1000px; margin: 24px auto; padding: 0 16px; }}
h1 {{ font-size: 22px; }} h2 {{ font-size: 17px; margin: 28px 0 4px; }}
svg {{ width: 100%; height: auto; }} .quiet, figcaption {{ color: #5b6673; font-size: 13px; }} figure {{ margin: 0; }}
table {{ border-collapse: collapse; }} th, td {{ text-align: left; padding: 3px 16px 3px 0; border-bottom: 1px solid #dfe4ea; }}
td.num {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style></head><body>
<h1>{title}</h1>
<p>{lead}</p>
{parts}
</body></html>
"""  # noqa: E501 - one rule a line reads better


def draw_index(found: Backtest, *, width: int = 72, height: int = 8) -> str:
    """Return the index over time as text: bars, a line at the threshold, a mark at each alert.

    Args:
        found: The backtest.
        width: Columns; each shows the highest index of its hours.
        height: Lines of the bars.

    """
    columns = _columns(found.hours, width)
    if not columns:
        return ""
    top = max(found.alert_index * 1.25, *(highest for _, highest in columns))
    line = min(int(found.alert_index / top * height), height - 1)
    rows = []
    for row in range(height - 1, -1, -1):
        label = {line: f"{found.alert_index:5.4g} ", height - 1: f"{top:5.1f} "}.get(row, "      ")
        cells = "".join(_cell(highest / top * height - row, row == line) for _, highest in columns)
        rows.append(f"{label}│{cells}")
    alerted = [
        any(begin < alert.at <= end for alert in found.alerts)
        for begin, end in _spans(columns, found.until)
    ]
    rows.append("      └" + "".join("▲" if one else "─" for one in alerted))
    first, last = columns[0][0], found.until
    dates = f"{first:%Y-%m-%d}" + f"{last:%Y-%m-%d}".rjust(max(len(columns) - 10, 11))
    rows.append(f"       {dates}")
    return "\n".join(rows)


def _cell(filled: float, is_line: bool) -> str:  # noqa: FBT001 - one of two letters
    eighths = min(max(round(filled * 8), 0), 8)
    if eighths == 0 and is_line:
        return "·"
    return _BLOCKS[eighths]


def _columns(hours: Sequence[PastHour], width: int) -> list[tuple[datetime, float]]:
    each = max(1, -(-len(hours) // width))
    return [
        (hours[at].at, max(hour.highest_index for hour in hours[at : at + each]))
        for at in range(0, len(hours), each)
    ]


def _spans(
    columns: Sequence[tuple[datetime, float]], until: datetime
) -> list[tuple[datetime, datetime]]:
    begins = [begin for begin, _ in columns]
    return list(zip(begins, [*begins[1:], until], strict=True))


def draw_page(brand: str, found: Backtest) -> str:
    """Return a page of its own: the index at this setting, the volume, and other budgets."""
    days = (found.until - found.since) / timedelta(days=1)
    incidents = sum(alert.is_new for alert in found.alerts)
    lead = (
        f"{_things(incidents, 'incident')} and {_things(len(found.alerts), 'alert')} "
        f"at index {found.alert_index:g} from "
        f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC "
        f"({days:.0f} days), replayed through the detectors that run in production."
    )
    parts = [
        "<h2>Burst index</h2>",
        _figure(
            draw_svg(found.hours, found.alert_index, found.alerts),
            "Highest of each hour; the dashed line is the threshold, a red mark is an alert.",
        ),
        "<h2>Mentions an hour</h2>",
        _figure(_volume_svg(found.hours), "All mentions in grey, negative ones in red."),
        _alert_table(found.alerts),
    ]
    for budget in found.budgets:
        parts += [
            f"<h2>{_budget_words(budget)}</h2>",
            _figure(draw_svg(found.hours, budget.alert_index, budget.alerts, height=110), ""),
        ]
    title = escape(f"What would have been alerted: {brand}")
    return _PAGE.format(title=title, lead=escape(lead), parts="\n".join(parts))


def _budget_words(budget: Budget) -> str:
    incidents = sum(alert.is_new for alert in budget.alerts)
    return (
        f"At most {_things(budget.per_week, 'false alarm')} a week: index "
        f"{budget.alert_index:g}, {_things(incidents, 'incident')}"
    )


def _things(number: float, one: str) -> str:
    return f"{number:g} {one}" if number == 1 else f"{number:g} {one}s"


def _figure(svg: str, words: str) -> str:
    caption = f"<figcaption>{escape(words)}</figcaption>" if words else ""
    return f"<figure>{svg}{caption}</figure>"


def draw_svg(
    hours: Sequence[PastHour],
    threshold: float,
    alerts: Sequence[PastAlert],
    *,
    height: int = HEIGHT,
) -> str:
    """Return the index over time as an SVG picture."""
    top = max([threshold * 1.25, *(hour.highest_index for hour in hours)])
    place = _Place(hours, top, height)
    points = " ".join(
        f"{place.x(hour.at):.1f},{place.y(max(hour.highest_index, 0)):.1f}" for hour in hours
    )
    line = place.y(threshold)
    marks = "".join(
        f'<circle cx="{place.x(alert.at):.1f}" cy="{place.y(min(alert.index, top)):.1f}" r="4" '
        f'fill="#c5352b"><title>{escape(_alert_words(alert))}</title></circle>'
        for alert in alerts
    )
    return _svg(
        height,
        f"Burst index by hour, threshold {threshold:g}, {_things(len(alerts), 'alert')}",
        f'<polyline points="{points}" fill="none" stroke="#3d6fb4" stroke-width="1.2"/>'
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{line:.1f}" y2="{line:.1f}" stroke="#1c2733" '
        f'stroke-dasharray="5 4"/>{_text(LEFT - 6, line + 4, f"{threshold:g}", "end")}'
        f"{marks}{place.axis()}",
    )


def _volume_svg(hours: Sequence[PastHour]) -> str:
    top = max([1, *(hour.mentions for hour in hours)])
    place = _Place(hours, top, HEIGHT)
    base = place.y(0)
    wide = max((WIDTH - LEFT) / max(len(hours), 1), 0.5)
    bars = "".join(
        f'<rect x="{place.x(hour.at):.1f}" y="{place.y(number):.1f}" width="{wide:.2f}" '
        f'height="{base - place.y(number):.1f}" fill="{color}"/>'
        for hour in hours
        for number, color in ((hour.mentions, "#c3cad3"), (hour.negatives, "#c5352b"))
        if number
    )
    return _svg(
        HEIGHT,
        f"Mentions by hour, {top} at most",
        f"{bars}{_text(LEFT - 6, place.y(top) + 10, f'{top:,}', 'end')}{place.axis()}",
    )


class _Place:
    """Where a time and a value are in the picture."""

    def __init__(self, hours: Sequence[PastHour], top: float, height: int) -> None:
        self._begin, self._end = hours[0].at, hours[-1].at + timedelta(hours=1)
        self._top, self._height = top, height

    def x(self, at: datetime) -> float:
        """Return the place of a time."""
        return LEFT + (WIDTH - LEFT) * ((at - self._begin) / (self._end - self._begin))

    def y(self, value: float) -> float:
        """Return the place of a value."""
        return (self._height - BOTTOM) * (1 - value / self._top) + 4

    def axis(self) -> str:
        """Return about seven dates, and the line they stand under."""
        whole = self._end - self._begin
        every = max(timedelta(days=1), timedelta(days=round(whole / timedelta(days=7))))
        at = (self._begin + timedelta(days=1)).replace(hour=0, minute=0)
        words = []
        while at < self._end - every / 3:
            words.append(_text(self.x(at), self._height - 4, f"{at:%b %d}", "middle"))
            at += every
        base = self.y(0)
        return (
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{base:.1f}" y2="{base:.1f}" stroke="#9aa4af"/>'
            + "".join(words)
        )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="#5b6673" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def _svg(height: int, label: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(label)}" font-family="system-ui, sans-serif">{content}</svg>'
    )


def _alert_words(alert: PastAlert) -> str:
    about = f" about {alert.topic}" if alert.topic else ""
    return (
        f"{alert.at:%Y-%m-%d %H:%M} UTC: index {alert.index:.1f}, "
        f"{alert.seen:.0f} negative{about}, expected {alert.expected:.1f}"
    )


def _alert_table(alerts: Sequence[PastAlert]) -> str:
    if not alerts:
        return "<p>No alerts.</p>"
    rows = "".join(
        f"<tr><td>{alert.at:%Y-%m-%d %H:%M}</td><td>{escape(alert.topic or 'whole brand')}</td>"
        f'<td class="num">{alert.index:.1f}</td><td class="num">{alert.seen:,.0f}</td>'
        f'<td class="num">{alert.expected:,.1f}</td></tr>'
        for alert in alerts
    )
    return (
        "<h2>Alerts</h2><table><tr><th>At (UTC)</th><th>About</th><th>Index</th>"
        f"<th>Negative</th><th>Expected</th></tr>{rows}</table>"
    )
