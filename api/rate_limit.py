"""How often somebody may ask for what is open to everybody: a bucket for each address."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from config.errors import AppError


class TooManyRequestsError(AppError):
    """Somebody asks too often; `retry_after_s` says when it may be asked again, in seconds."""

    def __init__(self, message: str, /, *, retry_after_s: float, **values: object) -> None:
        super().__init__(message, **values)
        self.retry_after_s = retry_after_s


class RateLimit:
    """Lets each address ask so often a minute; a pause saves up at most a minute's worth.

    Of one process, and forgotten with it: it slows guessing and scraping down. What must not
    be guessed is too long to be.

    Args:
        per_minute: How often.
        most_known: Addresses that are remembered; the longest silent is forgotten first.

    """

    def __init__(self, per_minute: int, *, most_known: int = 10_000) -> None:
        self._per_s = per_minute / 60
        self._most = per_minute
        self._most_known = most_known
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def require(self, address: str) -> None:
        """Take one request of an address.

        Raises:
            TooManyRequestsError: It has none left.

        """
        now = time.monotonic()
        with self._lock:
            left, seen_at = self._left.pop(address, (float(self._most), now))
            left = min(self._most, left + (now - seen_at) * self._per_s)
            self._left[address] = (max(left - 1, left % 1), now)
            if len(self._left) > self._most_known:
                self._left.popitem(last=False)
        if left < 1:
            msg = "asked too often; try again in a moment"
            raise TooManyRequestsError(msg, retry_after_s=(1 - left) / self._per_s)
