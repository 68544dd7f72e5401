"""What another side's HTTP answer means for a message: taken, later, or never. Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx

from config.clock import utc_now
from config.errors import PermanentError, TransientError
from config.phrases import phrase

#: Refusals that may be gone a moment later: time-out, too early, too many requests.
PASSING_REFUSALS = frozenset({408, 425, 429})


def judge(answer: httpx.Response, what: str) -> None:
    """Return where the answer is a success.

    Raises:
        TransientError: It may work later; with what the other side asks to wait.
        PermanentError: It was refused.

    """
    status = answer.status_code
    if answer.is_success:
        return
    msg = phrase("%(what)s answered %(status)s", what=what, status=status)
    is_refused = 300 <= status < 500 and status not in PASSING_REFUSALS  # noqa: PLR2004 - HTTP classes
    if is_refused:
        hint = "; redirects are not followed, give the final address" if answer.is_redirect else ""
        raise PermanentError(msg + hint)
    raise TransientError(msg, retry_after_s=seconds(answer.headers.get("Retry-After")))


def seconds(retry_after: str | None) -> float | None:
    """Return what a Retry-After header says, in seconds: it is a number or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - utc_now()).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
