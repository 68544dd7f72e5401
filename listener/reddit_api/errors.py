"""What Reddit's refusals mean for a collection. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from config.errors import AppError, PermanentError, TransientError
from config.phrases import phrase
from listener.answers import retry_after_s, seconds_of


def error_of(status: int, headers: Mapping[str, str], path: str, now: datetime) -> AppError:
    """Return the error that an answer other than 200 means."""
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        wait_s = retry_after_s(headers, now) or seconds_of(headers.get("x-ratelimit-reset"))
        return TransientError(phrase("Reddit's rate limit is used up"), retry_after_s=wait_s)
    if status == 408 or status >= 500:  # noqa: PLR2004 - their fault, not ours
        wait_s = retry_after_s(headers, now)
        return TransientError(
            phrase("Reddit failed with %(status)s", status=status), retry_after_s=wait_s
        )
    if status < 300:  # noqa: PLR2004 - a good status with a body that is none
        return TransientError(phrase("Reddit gave an answer that cannot be read"))
    return PermanentError(
        phrase(
            "Reddit refused %(path)s with %(status)s: %(advice)s",
            path=path,
            status=status,
            advice=_advice(status),
        )
    )


def failure_of(error: Exception, path: str, now: datetime) -> AppError:
    """Return the error that a call without an answer, or with a server's error, means."""
    cause = getattr(error, "original_exception", error)
    answer = getattr(cause, "response", None)
    if answer is not None:
        return error_of(answer.status_code, answer.headers, path, now)
    return TransientError(
        phrase("Reddit did not answer (%(kind)s)", kind=type(cause.__cause__ or cause).__name__)
    )


def _advice(status: int) -> str:
    return {
        400: phrase(
            "check GROUNDSWELL_REDDIT_CLIENT_ID, the user's password and the source's options"
        ),
        401: phrase(
            "GROUNDSWELL_REDDIT_CLIENT_ID or GROUNDSWELL_REDDIT_CLIENT_SECRET is wrong, or the "
            "approval of your app was withdrawn"
        ),
        403: phrase(
            "one of the subreddits is private, or the app's approval does not cover this: take the "
            "subreddit out of the source, or ask for access"
        ),
        404: phrase("one of the subreddits is banned or does not exist: take it out of the source"),
    }.get(
        status,
        phrase("one of the subreddits does not exist, or GROUNDSWELL_REDDIT_BASE_URL is wrong"),
    )
