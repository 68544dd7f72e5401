"""What X's refusals mean for a collection. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from config.errors import AppError, BudgetExhaustedError, PermanentError, TransientError
from config.phrases import phrase
from listener.answers import retry_after_s, seconds_until

#: How long collecting rests after the month's cap or the credit is used up, in seconds. X
#: does not say when it ends: a cap ends with the account's month, credit when it is bought.
CAP_REST_S = 6 * 3600.0

_CAP_WORDS = ("usagecapexceeded", "creditsdepleted", "usage-capped", "problems/credits")
_MAY_BE_CAPS = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
_FIELD_NAMES = {"tweet.fields", "post.fields", "expansions"}
_TOKEN_NAMES = {"pagination_token", "next_token"}
#: Longest piece of X's own words in a message, in characters.
_SHOWN = 200


class UnknownNameError(PermanentError):
    """X does not know the names of fields that were asked for."""


class StaleTokenError(PermanentError):
    """X does not know the token of the next page any more."""


def error_of(
    status: int,
    headers: Mapping[str, str],
    body: Any,  # noqa: ANN401 - anything that JSON can hold, None where it is no JSON
    now: datetime,
) -> AppError:
    """Return the error that an answer other than 200 means."""
    answer = body if isinstance(body, Mapping) else {}
    marks = f"{answer.get('title')} {answer.get('type')}".lower()
    is_cap = any(word in marks for word in _CAP_WORDS)
    if status == HTTPStatus.PAYMENT_REQUIRED or (status in _MAY_BE_CAPS and is_cap):
        msg = phrase(
            "X's monthly cap or credit is used up: raise it in X's developer console, or wait"
        )
        return BudgetExhaustedError(msg, resume_after_s=CAP_REST_S)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = retry_after_s(headers, now) or seconds_until(
            headers.get("x-rate-limit-reset"), now
        )
        return TransientError(phrase("X's rate limit is used up"), retry_after_s=wait_s)
    # Their fault, not ours.
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(
            phrase("X failed with %(status)s", status=status),
            retry_after_s=retry_after_s(headers, now),
        )
    if status == HTTPStatus.BAD_REQUEST:
        return _bad_request(answer)
    return PermanentError(_refusal(status, answer))


def refusal_words(answer: Mapping[str, Any]) -> str:
    """Return X's own words about what is wrong, shortened."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    inner = first if isinstance(first, Mapping) else {}
    words = inner.get("message") or inner.get("title") or answer.get("detail") or "no reason given"
    return str(words)[:_SHOWN]


def _bad_request(answer: Mapping[str, Any]) -> AppError:
    errors = answer.get("errors")
    names = {
        str(name)
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, Mapping) and isinstance(one.get("parameters"), Mapping)
        for name in one["parameters"]
    }
    msg = phrase("X cannot read the request: %(answer)s", answer=refusal_words(answer))
    if names & _FIELD_NAMES:
        return UnknownNameError(msg)
    if names & _TOKEN_NAMES:
        return StaleTokenError(msg)
    return PermanentError(
        phrase("%(msg)s. Change the brand's query or the source's options", msg=msg)
    )


def _refusal(status: int, answer: Mapping[str, Any]) -> str:
    advice = {
        401: "GROUNDSWELL_X_BEARER_TOKEN is wrong or was withdrawn: set a new one",
        403: "the app may not read this: check its access in X's developer console",
        404: "there is nothing at this address: check GROUNDSWELL_X_BASE_URL and the account",
    }.get(status, "check the source's options and the app's access")
    return f"X refused with {status} ({refusal_words(answer)}): {advice}"
