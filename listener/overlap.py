"""How far before the newest known post a run reads again, for posts that arrive late. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Posts in the overlap above which it is not read again in every run: fewer cost no request
#: of their own.
DENSE = 100
#: Seconds before the newest known post that are read again in every run even then.
SHORT_OVERLAP_S = 2.0
#: How often a dense overlap is read, as a share of its length.
SWEEP_SHARE = 1 / 3


def overlap_s(full_s: float, swept_at: datetime | None, now: datetime) -> float:
    """Return how many seconds before the newest known post are read again.

    In a burst the overlap holds thousands of posts, and reading them in every run would
    use up the platform's limit; then they are read again three times, not every second.

    Args:
        full_s: The whole overlap.
        swept_at: When it was last read, where it is dense.
        now: The present.

    """
    if swept_at is None or now - swept_at >= timedelta(seconds=full_s * SWEEP_SHARE):
        return full_s
    return min(full_s, SHORT_OVERLAP_S)
