"""How much of a flag's time for an answer is left, as the queue shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.formats import decimal
from api.language import gettext
from crm_link.models import Flag

#: From this share of its time on, a flag is due soon.
SOON = 0.75

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_WHOLE_FROM = 10


@dataclass(frozen=True, slots=True)
class Due:
    """A flag's clock.

    Args:
        text: What is left of it, or how late it is.
        tone: `late`, `soon`, `ok` or `met`.
        share: How much of the time is gone, 0 to 1.

    """

    text: str
    tone: str
    share: float


def due(flag: Flag, now: datetime) -> Due:
    """Return where a flag's clock stands; an answer has stopped it."""
    total = (flag.due_at - flag.created_at).total_seconds()
    gone = ((flag.answered_at or now) - flag.created_at).total_seconds()
    share = min(max(gone / total, 0.0), 1.0) if total > 0 else 1.0
    if flag.answered_at is not None:
        took = _length(flag.answered_at - flag.created_at)
        is_late = flag.answered_at > flag.due_at
        return Due(gettext("answered in %(time)s", time=took), "late" if is_late else "met", share)
    left = _length(flag.due_at - now)
    if flag.due_at <= now:
        return Due(gettext("%(time)s late", time=left), "late", 1.0)
    return Due(gettext("%(time)s left", time=left), "soon" if share >= SOON else "ok", share)


def _length(length: timedelta) -> str:
    """Return a length as `queue.js` writes it on: whole minutes, hours and days to a tenth."""
    seconds = abs(length.total_seconds())
    for unit_s, name in _UNITS:
        number = seconds / unit_s
        if number >= 1 or name == "min":
            is_whole = number >= _WHOLE_FROM or name == "min"
            return f"{decimal(int(number) if is_whole else int(10 * number) / 10)} {name}"
    return ""
