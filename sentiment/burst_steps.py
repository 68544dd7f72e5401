"""What every detector that goes step by step over a series has in common."""

from __future__ import annotations

from datetime import datetime

from config.clock import to_utc
from config.errors import InputError


def count_left_out(last_at: float | None, at: datetime, step_s: float) -> tuple[float, int]:
    """Return a step's time in Unix seconds, and how many steps were left out before it.

    Args:
        last_at: The step before, in Unix seconds; None at the first.
        at: Begin of the step.
        step_s: Usual distance of two steps, in seconds.

    Raises:
        InputError: `at` is not later than the step before.

    """
    timestamp = to_utc(at).timestamp()
    if last_at is None:
        return timestamp, 0
    if timestamp <= last_at:
        msg = (
            f"the step at {at.isoformat()} is not later than the one before; "
            "give steps in order, each once"
        )
        raise InputError(msg)
    return timestamp, round((timestamp - last_at) / step_s) - 1
