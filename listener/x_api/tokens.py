"""The token of an account on X that ends after two hours, renewed, and kept.

X gives a new refresh token with each renewal and takes the one before no more
(https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code), so what
comes is kept in a file of the home folder that its owner alone can read. Who renews holds the
file: of several workers one asks, the others take what it got. The file says that a renewal is
asked for before it is, so that one that was broken off between X and the file is told as that.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import requests
import tweepy
from oauthlib.oauth2 import MissingTokenError, OAuth2Error
from pydantic import SecretStr

from config.clock import Clock
from config.errors import ConflictError, InputError, TransientError
from config.held_file import hold_file
from config.phrases import phrase
from listener.replier import Refusal, ReplyRefusedError
from listener.x_api.session import TWEEPY_HOST, Redirect

#: Where X renews tokens.
TOKEN_URL = f"{TWEEPY_HOST}/2/oauth2/token"

#: Folder in the home folder; a file for each refresh token that was set.
FOLDER = "x-tokens"

#: How long before its end a token is renewed.
EARLY = timedelta(minutes=5)

#: How long a token lasts of which X does not say it.
_LASTS_S = 7200.0

#: A token that X refuses so soon after its renewal is not renewed again.
_YOUNG = timedelta(minutes=10)

#: Seconds that a worker waits for another one that renews.
_WAIT_S = 60.0

#: What helps when X takes the refresh token no more.
_ANEW = (
    "authorise the account anew and set GROUNDSWELL_X_REFRESH_TOKEN to the new token, "
    "see docs/replies.md"
)


@dataclass(frozen=True, slots=True)
class RenewalSettings:
    """What a renewal needs.

    Args:
        client_id: The app's OAuth 2.0 client id.
        client_secret: Its secret; empty for an app that has none.
        refresh_token: The account's first refresh token.
        home: The home folder.
        base_url: Address of X's API.
        timeout_s: Seconds without an answer after which a call is given up.

    """

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr
    home: Path
    base_url: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Kept:
    access_token: str = ""
    refresh_token: str = ""
    made_at: float = 0.0
    ends_at: float = 0.0
    #: When a renewal was asked for whose answer was not kept yet.
    asked_at: str = ""


class TokenKeeper:
    """Gives the account's token, a new one before it ends."""

    def __init__(self, settings: RenewalSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        # Another refresh token that somebody sets begins anew.
        first = settings.refresh_token.get_secret_value()
        name = hashlib.sha256(f"{settings.client_id}:{first}".encode()).hexdigest()[:16]
        self._path = settings.home / FOLDER / f"{name}.json"

    def access_token(self) -> str:
        """Return a token that lasts for some minutes at least.

        Raises:
            ReplyRefusedError: X takes the refresh token no more, or what it gives cannot be kept.
            TransientError: X cannot be reached, or another worker renews for very long.

        """
        kept = self._read()
        if self._lasts(kept):
            return kept.access_token
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with hold_file(self._path, timeout_s=_WAIT_S):
                kept = self._read()
                return (kept if self._lasts(kept) else self._renew(kept)).access_token
        except ConflictError as error:
            raise TransientError(phrase("another worker renews X's token just now")) from error
        except (InputError, OSError) as error:
            raise ReplyRefusedError(
                f"the account's tokens cannot be kept: {self._path.parent} must be writable",
                Refusal.TOKEN,
            ) from error

    def distrust(self, token: str) -> bool:
        """Let a token that X refused be renewed at its next use; say whether it will be.

        One that was just renewed is not: another one would be refused, too.
        """
        kept = self._read()
        if kept.access_token != token:
            return True
        if self._clock() - _moment(kept.made_at, self._clock()) < _YOUNG:
            return False
        try:
            with hold_file(self._path, timeout_s=_WAIT_S):
                self._write(_Kept(refresh_token=kept.refresh_token))
        except (ConflictError, InputError, OSError):
            return False
        return True

    def _lasts(self, kept: _Kept) -> bool:
        now = self._clock()
        return bool(kept.access_token) and _moment(kept.ends_at, now) - now > EARLY

    def _renew(self, kept: _Kept) -> _Kept:
        now = self._clock()
        broke_off = kept.asked_at
        self._write(
            _Kept(
                refresh_token=kept.refresh_token,
                asked_at=broke_off or now.isoformat(timespec="minutes"),
            )
        )
        first = self._settings.refresh_token.get_secret_value()
        answer = self._ask(kept.refresh_token or first, broke_off)
        lasts_s = float(answer.get("expires_in") or _LASTS_S)
        new = _Kept(
            access_token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token") or kept.refresh_token),
            made_at=now.timestamp(),
            ends_at=now.timestamp() + lasts_s,
        )
        self._write(new)
        return new

    def _ask(self, refresh_token: str, broke_off: str) -> Mapping[str, Any]:
        secret = self._settings.client_secret.get_secret_value()
        client = self._settings.client_id
        handler = tweepy.OAuth2UserHandler(
            client_id=client, redirect_uri="", scope=None, client_secret=secret or None
        )
        handler.mount(TWEEPY_HOST, Redirect(self._settings.base_url, self._settings.timeout_s))
        handler.register_compliance_hook("refresh_token_response", _require_answer)
        # An app without a secret says in the form who it is.
        named = {} if secret else {"client_id": client}
        try:
            with handler:
                answer: Mapping[str, Any] = handler.refresh_token(
                    TOKEN_URL, refresh_token=refresh_token, auth=handler.auth, **named
                )
        except (MissingTokenError, requests.RequestException, ValueError) as error:
            name = type(error).__name__
            raise TransientError(
                phrase("X did not renew the account's token (%(name)s)", name=name)
            ) from error
        except OAuth2Error as error:
            # Neither of its words: they may quote what was sent.
            why = (
                f"the renewal of {broke_off} was broken off before its tokens were kept"
                if broke_off
                else "X takes the account's refresh token no more"
            )
            raise ReplyRefusedError(f"{why}: {_ANEW}", Refusal.TOKEN) from error
        return answer

    def _read(self) -> _Kept:
        try:
            return _Kept(**orjson.loads(self._path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return _Kept()
        except (OSError, TypeError, ValueError) as error:
            raise ReplyRefusedError(
                f"{self._path} cannot be read: remove it, then {_ANEW}", Refusal.TOKEN
            ) from error

    def _write(self, kept: _Kept) -> None:
        """Keep it whole or not at all; a temporary file is for its owner alone from the start."""
        handle, name = tempfile.mkstemp(prefix=".", dir=self._path.parent)
        made = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps(asdict(kept)))
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._path)
        finally:
            made.unlink(missing_ok=True)


def _moment(seconds: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)


def _require_answer(response: requests.Response) -> requests.Response:
    """Let what is no answer about the token be tried again: X's failures and limits."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response.raise_for_status()
    return response
