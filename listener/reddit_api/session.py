"""The HTTP session that PRAW uses: gives up in time, and never lets prawcore wait and retry."""

from __future__ import annotations

from time import monotonic
from typing import Any

import requests

from config.clock import utc_now
from listener.answers import retry_after_s

#: Longest time to wait for a connection, in seconds.
_CONNECT_S = 5.0
_TIMED_OUT = 408
_SERVER_ERROR = 500


class GivenUpError(requests.RequestException):
    """Reddit failed. prawcore tries again, sleeping, after the errors of requests itself."""


class RedditSession(requests.Session):
    """A session with a time-out of its own, as PRAW's `timeout` is ignored by API calls.

    Where the rate limit is used up, prawcore would sleep until it is reset, up to ten
    minutes. It does not see the headers that say so; `blocked_s` tells it to the collector.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self._free_at = 0.0

    def blocked_s(self) -> float:
        """Return the seconds until Reddit takes requests again; 0 if it does now."""
        return max(0.0, self._free_at - monotonic())

    def request(self, *args: Any, **how: Any) -> requests.Response:  # noqa: ANN401
        """Send a request; see `requests.Session.request`."""
        how["timeout"] = (min(_CONNECT_S, self._timeout_s), self._timeout_s)
        try:
            response = super().request(*args, **how)
        except requests.RequestException as error:
            raise GivenUpError from error
        if response.status_code == _TIMED_OUT or response.status_code >= _SERVER_ERROR:
            raise GivenUpError(response=response)
        headers = response.headers
        wait_s = retry_after_s(headers, utc_now())
        if wait_s is not None:
            headers["retry-after"] = str(wait_s)  # prawcore takes a date for a number
        else:
            headers.pop("retry-after", None)
        try:
            # As prawcore reads them, without looking first.
            int(headers.get("x-ratelimit-used", ""))
            remaining = float(headers.get("x-ratelimit-remaining", ""))
            reset_s = int(headers.get("x-ratelimit-reset", ""))
        except ValueError:
            headers.pop("x-ratelimit-remaining", None)
            return response
        if remaining < 1:
            self._free_at = monotonic() + reset_s
            del headers["x-ratelimit-remaining"]
        return response
