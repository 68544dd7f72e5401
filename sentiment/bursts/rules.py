"""One alert per incident: what has been alerted is not alerted again, unless it grows."""

from __future__ import annotations

from typing import Any


class OnePerIncident:
    """Lets the first burst of an incident through, and each that is much bigger than the last.

    The arming level is the alert's own threshold: a lower one would let a weak burst silence
    the strong one that follows.

    Args:
        arming: Index from which on something is let through.
        quiet_s: Seconds for which nothing more is let through.
        growth: Multiple of the index last let through that breaks the quiet.

    """

    __slots__ = ("_arming", "_growth", "_index", "_quiet_s", "_told_at")

    def __init__(self, *, arming: float, quiet_s: float, growth: float) -> None:
        self._arming = arming
        self._quiet_s = quiet_s
        self._growth = growth
        self._told_at: float | None = None
        self._index = 0.0

    def lets_through(self, index: float, timestamp: float) -> bool:
        """Say whether a burst of `index` at `timestamp` (Unix seconds) is news, and remember it."""
        if index < self._arming:
            return False
        is_quiet = self._told_at is not None and timestamp - self._told_at < self._quiet_s
        if is_quiet and index < self._growth * self._index:
            return False
        self.note(index, timestamp)
        return True

    def note(self, index: float, timestamp: float) -> None:
        """Begin the quiet time, because people were told by another way."""
        self._told_at, self._index = timestamp, index

    def to_state(self) -> dict[str, Any]:
        """Return what was let through last, fit for JSON."""
        return {"told_at": self._told_at, "index": self._index}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `to_state` gave."""
        self._told_at = state["told_at"]
        self._index = state["index"]
