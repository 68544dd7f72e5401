"""A person's weeks as a small drawing: judged mentions by label, and their mean as a line.

Drawn on the server, without script or style attributes; a table stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from crm_link.contacts.person_view import Week

#: Size of the drawing, in units of its view box: bars above, the line of means below.
WIDTH, HEIGHT = 520, 120
BARS_BOTTOM, MEAN_TOP, MEAN_BOTTOM = 66, 78, 114

_LABELS = ("negative", "neutral", "positive")


def weeks_svg(weeks: Sequence[Week], title: str) -> Markup:
    """Return the drawing of some weeks, oldest at the left; `title` says what it shows."""
    top = max((week.mentions for week in weeks), default=0) or 1
    step = WIDTH / max(len(weeks), 1)
    middle = (MEAN_TOP + MEAN_BOTTOM) / 2
    parts = [
        f'<svg class="weeks" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">',
        f"<title>{escape(title)}</title>",
        f'<line class="rule" x1="0" x2="{WIDTH}" y1="{BARS_BOTTOM}" y2="{BARS_BOTTOM}"/>',
        f'<line class="rule" x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/>',
    ]
    for number, week in enumerate(weeks):
        y = float(BARS_BOTTOM)
        x = round(number * step + step * 0.15, 1)
        for label in _LABELS:
            height = getattr(week, label) / top * (BARS_BOTTOM - 4)
            if height:
                y -= height
                parts.append(
                    f'<rect class="{label}" x="{x}" y="{y:.1f}" width="{step * 0.7:.1f}" '
                    f'height="{height:.1f}"/>'
                )
        if week.mean is not None:
            at = middle - week.mean * (MEAN_BOTTOM - MEAN_TOP) / 2
            sign = "negative" if week.mean < 0 else "positive" if week.mean > 0 else "neutral"
            parts.append(
                f'<rect class="{sign}" x="{x}" y="{min(at, middle) - 1:.1f}" '
                f'width="{step * 0.7:.1f}" height="{abs(at - middle) + 2:.1f}"/>'
            )
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - numbers and an escaped title
