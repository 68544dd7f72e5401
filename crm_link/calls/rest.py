"""A thin client for CRMs that speak JSON over HTTP: signing in, waiting, errors in our words.

The vendors' own SDKs were tried and left: HubSpot's retries no POST and ignores the base
address in places, Salesforce's has https written into it, Zoho's keeps global state and writes
files. What they would save here is the address of a dozen calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from config.clock import utc_now
from config.errors import PermanentError, TransientError
from config.phrases import phrase
from crm_link.calls.budgets import LimitError, Limits, Meter, Unmetered

#: Tries of a call that only reads, and the longest wait between them, in seconds. A longer one
#: is left to whoever calls: contacts are synced and outbox rows are sent again when due.
READ_TRIES = 4
LONGEST_WAIT_S = 15.0

#: Seconds until another try where the CRM does not say how long.
DEFAULT_WAIT_S = 1.0

#: Seconds until another try after a limit (429) that does not say how long.
LIMIT_WAIT_S = 10.0

NO_LIMITS = Limits()

_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


class Refused(Exception):  # noqa: N818 - not an error yet: the plugin says what it means
    """The CRM answered with a status that is no success."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.status_code}")
        self.status = answer.status_code
        self.answer = answer
        self.path = answer.request.url.path

    def body(self) -> Any:  # noqa: ANN401 - whatever JSON the CRM sent
        """Return what the answer says, None where it is no JSON."""
        try:
            return self.answer.json()
        except ValueError:
            return None


class RestClient:
    """Calls of one CRM.

    Args:
        name: The CRM, for messages.
        base_url: Where it answers; asked before each call, because signing in may tell it.
        headers: The headers of a signed-in call.
        renew: Gets a new token, called once when a call was answered with 401.
        means: What an answer that is no success means, where the CRM has its own ways (a 403
            that is a limit); returns None for the usual meaning.
        limits: What its account allows; `meter`, when it is set, counts the calls.
        timeout_s: The longest wait for an answer.

    Raises, from every call:
        TransientError: It did not answer.
        LimitError: It says that a limit is used up.
        BudgetExhaustedError: A budget is used up for longer than a call waits.
        PermanentError: It refuses credentials, permission or the request.

    """

    def __init__(
        self,
        name: str,
        base_url: Callable[[], str],
        headers: Callable[[], Mapping[str, str]],
        *,
        renew: Callable[[], None] | None = None,
        means: Callable[[Refused], Exception | None] = lambda _: None,
        limits: Limits = NO_LIMITS,
        timeout_s: float = 30.0,
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._headers = headers
        self._renew = renew
        self._means = means
        self.limits = limits
        self.meter: Meter = Unmetered()
        self._client = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)

    def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 - any JSON
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Make a call that changes nothing; it is tried a few times. An empty answer is None."""
        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(READ_TRIES),
            wait=self._wait_s,
            reraise=True,
        ):
            with attempt:
                return self.call(method, path, params=params, json=json, headers=headers)
        raise AssertionError  # Retrying raises the last error itself

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 - any JSON
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Make one call, once; return the answer's JSON, None where it is empty."""
        answer = self._send(method, path, params, json, headers)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._renew is not None:
            self._renew()
            answer = self._send(method, path, params, json, headers)
        if answer.is_success:
            if not answer.content:
                return None
            try:
                return answer.json()
            except ValueError as error:
                msg = phrase(
                    "%(name)s answered %(method)s %(path)s with something that is no JSON",
                    name=self._name,
                    method=method,
                    path=path,
                )
                raise TransientError(msg) from error
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return None
        refusal = self._error_of(Refused(answer), f"{method} {path.partition('?')[0]}")
        if isinstance(refusal, LimitError):
            self.meter.pause(refusal.limit, refusal.retry_after_s or 0.0, str(refusal))
        raise refusal

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        json: Any,  # noqa: ANN401 - any JSON
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        signed = {**self._headers(), **(headers or {})}
        ticket = self.meter.take(self.limits.costs(method, path, json))
        try:
            answer = self._client.request(
                method,
                self._base_url().rstrip("/") + path,
                params=params,
                json=json,
                headers=signed,
            )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            msg = phrase(
                "%(name)s: the base address is none; it begins with https://", name=self._name
            )
            raise PermanentError(msg) from error
        except httpx.HTTPError as error:
            msg = phrase(
                "%(name)s did not answer: %(kind)s", name=self._name, kind=type(error).__name__
            )
            raise TransientError(msg) from error
        finally:
            self.meter.give_back(ticket)
        self.meter.hear(self.limits.hears(answer.headers))
        return answer

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, LimitError) and not isinstance(self.meter, Unmetered):
            return 0.0  # the meter lets nobody call until it is over
        asked = getattr(error, "retry_after_s", None)
        if asked is None:
            return min(DEFAULT_WAIT_S * 2.0 ** (state.attempt_number - 1), LONGEST_WAIT_S)
        if asked > LONGEST_WAIT_S and error is not None:
            raise error
        return float(asked)

    def _error_of(self, refused: Refused, what: str) -> Exception:
        if (own := self._means(refused)) is not None:
            return own
        status = refused.status
        msg = phrase(
            "%(name)s answered %(status)s to %(what)s", name=self._name, status=status, what=what
        )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            said_s = retry_after_s(refused.answer.headers)
            return LimitError(msg, retry_after_s=LIMIT_WAIT_S if said_s is None else said_s)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
            return TransientError(msg, retry_after_s=retry_after_s(refused.answer.headers))
        if status == HTTPStatus.UNAUTHORIZED:
            return PermanentError(phrase("%(msg)s: the token is wrong or has ended", msg=msg))
        if status == HTTPStatus.FORBIDDEN:
            return PermanentError(
                phrase("%(msg)s: the account may not do this; check its scopes", msg=msg)
            )
        return PermanentError(msg)


def ask_for_token(name: str, url: str, form: Mapping[str, str], *, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
    """Return what the CRM called `name` answers to a sign-in with `form` (OAuth 2).

    A refusal is an answer without `access_token`, with whatever status.

    Raises:
        TransientError: It did not answer, or not in JSON.

    """
    try:
        answer = httpx.post(url, data=dict(form), timeout=timeout_s, trust_env=False)
        if answer.is_server_error:
            raise TransientError(
                phrase(
                    "%(name)s's sign-in answered %(status_code)s",
                    name=name,
                    status_code=answer.status_code,
                )
            )
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise TransientError(
            phrase(
                "%(name)s did not answer a sign-in: %(kind)s", name=name, kind=type(error).__name__
            )
        ) from error


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return what a Retry-After header says, in seconds: it is a number or a date."""
    said = headers.get("Retry-After", "").strip()
    if not said:
        return None
    try:
        return max(float(said), 0.0)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - utc_now()).total_seconds(), 0.0)


def parse_time(said: str | None) -> datetime | None:
    """Return a time as CRMs write it (ISO 8601, with zone), in UTC."""
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
