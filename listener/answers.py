"""What the headers of a platform's answer say about waiting. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: The least that is waited where a platform names a moment that has passed, in seconds.
LEAST_WAIT_S = 1.0


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, given as seconds or as a date."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(LEAST_WAIT_S, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(LEAST_WAIT_S, (moment - now).total_seconds())


def seconds_until(epoch_s: str | None, now: datetime) -> float | None:
    """Return the seconds until a moment given in Unix seconds."""
    try:
        return max(LEAST_WAIT_S, float(epoch_s or "") - now.timestamp())
    except ValueError:
        return None


def seconds_of(value: str | None) -> float | None:
    """Return a number of seconds given as text."""
    try:
        return max(LEAST_WAIT_S, float(value or ""))
    except ValueError:
        return None
