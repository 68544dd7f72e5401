"""Renewing tokens on the fake X: each refresh token is taken once, and gives the next one."""

from __future__ import annotations

import base64
import secrets
import time
from typing import TYPE_CHECKING, Any

from .x_params import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .store import Store

    Json = dict[str, Any]

#: What X names the tokens of a user's app with the right to write.
_SCOPE = "tweet.read tweet.write users.read offline.access"


def renew(store: Store, form: Mapping[str, str], authorization: str) -> Json:
    """Give a new pair of tokens; the refresh token of before is taken no more."""
    scheme, _, encoded = authorization.partition(" ")
    client = (
        base64.b64decode(encoded).decode().partition(":")[0]
        if scheme.lower() == "basic"
        else form.get("client_id", "")
    )
    if not client:
        raise _refused(401, "unauthorized_client", "Missing valid authorization header")
    if form.get("grant_type") != "refresh_token":
        raise _refused(400, "unsupported_grant_type", "grant_type is missing or wrong")
    given = form.get("refresh_token", "")
    if not given or given in store.x_spent or (store.x_next and given != store.x_next):
        raise _refused(400, "invalid_request", "Value passed for the token was invalid.")
    store.x_spent.add(given)
    store.x_next, token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    life_s = store.rules.x_token_life_s
    # X lets one token of a user and an app live.
    store.x_issued = {token: time.time() + life_s}
    return {
        "token_type": "bearer",
        "expires_in": life_s,
        "access_token": token,
        "scope": _SCOPE,
        "refresh_token": store.x_next,
    }


def takes(store: Store, token: str) -> bool:
    """Say whether X takes a bearer token: one that it gave, once it gave any, until its end."""
    if store.x_issued:
        return store.x_issued.get(token, 0.0) > time.time()
    return token in store.rules.x_tokens if store.rules.x_tokens else bool(token)


def _refused(status: int, error: str, words: str) -> RefusedError:
    return RefusedError(status, {"error": error, "error_description": words})
