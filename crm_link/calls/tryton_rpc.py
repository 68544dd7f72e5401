"""Calls of a Tryton server: JSON-RPC over HTTP, in the session of one user."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from config.errors import PermanentError, TransientError
from config.phrases import phrase
from crm_link.calls.budgets import Limits
from crm_link.calls.rest import RestClient
from crm_link.calls.rest_crm import Token

#: What Tryton says of records: that they cannot be so, or that a person should say yes first.
_OF_RECORDS = frozenset({"UserError", "UserWarning"})
_PASSING = frozenset({"ConcurrencyException", "DatabaseTimeoutError", "DatabaseOperationalError"})


class Fault(Exception):  # noqa: N818 - what Tryton says of a record is no error of the call
    """Tryton refused what a call was about: its name for it."""


class TrytonRpc:
    """Calls of one Tryton database.

    Args:
        base_url: Where the server answers.
        database: The database's name.
        user: The login of its user.
        password: That user's password.
        settings: What the names of these settings begin with, for messages.
        limits: How often the server may be called.
        timeout_s: The longest wait for an answer.

    Raises, from every call:
        Fault: A record cannot be as it is written.
        TransientError: It did not answer, or the record is held by somebody else.
        PermanentError: It refuses the user, or what the user may not do.

    """

    def __init__(
        self,
        base_url: str,
        database: str,
        user: str,
        password: SecretStr,
        *,
        settings: str,
        limits: Limits,
        timeout_s: float,
    ) -> None:
        self._path = f"/{database}/rpc/"
        self._user = user
        self._password = password
        self._settings = settings
        self._door = RestClient("Tryton", lambda: base_url, dict, timeout_s=timeout_s)
        token = Token("Session", self._sign_in)
        self.api = RestClient(
            "Tryton",
            lambda: base_url,
            token.headers,
            renew=token.renew,
            limits=limits,
            timeout_s=timeout_s,
        )

    def read(self, method: str, *params: Any, archived: bool = False) -> Any:  # noqa: ANN401 - JSON
        """Return what a method that changes nothing gives; it is tried a few times.

        Args:
            method: The method.
            params: Its parameters, without the context.
            archived: Find archived records too. A domain with `active` does not do it where it
                has conditions on what belongs to a record: Tryton then searches in parts.

        """
        body = _body(method, params, {"active_test": False} if archived else {})
        return _result(method, self.api.read("POST", self._path, json=body))

    def call(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - JSON
        """Return what a method gives, called once."""
        return _result(method, self.api.call("POST", self._path, json=_body(method, params, {})))

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
        self._door.close()

    def _sign_in(self) -> str:
        params = (self._user, {"password": self._password.get_secret_value()}, "en")
        body = {"id": 1, "method": "common.db.login", "params": params}
        try:
            answer = self._door.call("POST", self._path, json=body)
        except PermanentError as error:
            raise PermanentError(
                phrase(
                    "Tryton refused the user: check %(settings)sUSER, _PASSWORD, _DATABASE and "
                    "_BASE_URL",
                    settings=self._settings,
                )
            ) from error
        user_id, session, *_ = answer["result"]
        return b64encode(f"{self._user}:{user_id}:{session}".encode()).decode()


def _body(method: str, params: Sequence[Any], context: Mapping[str, Any]) -> dict[str, Any]:
    # The last parameter of a model's method is its context.
    return {"id": 1, "method": method, "params": [*params, context]}


def _result(method: str, answer: Any) -> Any:  # noqa: ANN401 - JSON
    if not answer or "error" not in answer:
        return (answer or {}).get("result")
    kind = str(answer["error"][0])
    if kind in _OF_RECORDS:
        raise Fault(kind)
    if kind in _PASSING:
        raise TransientError(
            phrase("Tryton answered %(kind)s to %(method)s", kind=kind, method=method)
        )
    raise PermanentError(
        phrase(
            "Tryton answered %(kind)s to %(method)s: may the user do this?",
            kind=kind,
            method=method,
        )
    )
