"""The one source of the present time: aware, in UTC, and movable in tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from config.errors import InputError

#: A function that gives the present as an aware UTC time. Services take one where time
#: decides something, so that tests and drills can move it.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present as an aware UTC time."""
    return datetime.now(UTC)


def to_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises:
        InputError: `moment` is naive, so that nobody can know when it was.

    """
    if moment.tzinfo is None:
        given = moment.isoformat()
        msg = f"the time {given} has no zone; add one, for example {given}+00:00"
        raise InputError(msg)
    return moment.astimezone(UTC)
