"""What every detector that goes step by step over a series has in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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


def check_maker(given: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> None:
    """Refuse a stored state that another version or configuration made.

    Raises:
        InputError: It was; the message says what to do.

    """
    if given != wanted:
        msg = (
            f"the stored burst state was made by {given}, but this detector is {wanted}; "
            "replay the stored counts to make a new one"
        )
        raise InputError(msg)
