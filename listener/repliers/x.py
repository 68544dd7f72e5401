"""Replies on X, through tweepy, in the name of one account.

Posting needs the account's own credentials, not the bearer token of the collector: the four
of OAuth 1.0a, which do not end, or a user's refresh token of OAuth 2.0, by which its token is
renewed every two hours (`listener.x_api.tokens`), or that token alone, which somebody else renews
(https://docs.x.com/resources/fundamentals/authentication).
The account's own posts are its newest 3,200; we look through those since the reply left.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import requests
import tweepy
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import utc_now
from config.errors import TransientError
from config.phrases import phrase
from config.settings import Settings, read_settings
from listener.replier import OwnPost, OwnSearch, PerhapsPostedError, Replier
from listener.x_api.errors import UnknownNameError, error_of
from listener.x_api.length import MAX_WEIGHT, weighted_length, without_links
from listener.x_api.payload import parse_page
from listener.x_api.refusals import reply_error
from listener.x_api.session import NEW_NAMES, OLD_NAMES, TWEEPY_HOST, Redirect
from listener.x_api.tokens import RenewalSettings, TokenKeeper

#: Pages of 100 own posts that are looked through.
_MOST_PAGES = 5

#: How far X's clock may be behind ours.
_SLACK = timedelta(minutes=2)

#: What comes of an answer that is none, besides errors of HTTP.
_UNREADABLE = (requests.RequestException, AttributeError, KeyError, TypeError, ValueError)

_ErrorOf = Callable[[int, Mapping[str, str], Any, datetime], Exception]

_OAUTH1 = ("api_key", "api_secret", "access_token", "access_token_secret")


class XReplySettings(BaseSettings):
    """In whose name X is answered."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_X_", extra="ignore", frozen=True)

    api_key: SecretStr = Field(default=SecretStr(""), description="API key of your X app.")
    api_secret: SecretStr = Field(default=SecretStr(""), description="Secret of that key.")
    access_token: SecretStr = Field(
        default=SecretStr(""), description="Access token of the account that replies."
    )
    access_token_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of that token."
    )
    user_token: SecretStr = Field(
        default=SecretStr(""), description="OAuth 2.0 token of the account, instead of the four."
    )
    refresh_token: SecretStr = Field(
        default=SecretStr(""),
        description="OAuth 2.0 refresh token of the account; its token is then renewed in time.",
    )
    client_id: str = Field(default="", description="OAuth 2.0 client id of your X app.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of that client; empty if it has none."
    )
    base_url: str = Field(
        default=TWEEPY_HOST, description="Address of X's API, or of a proxy before it."
    )
    timeout_s: float = Field(
        default=20.0, gt=0, description="Seconds without an answer after which a call is given up."
    )

    @model_validator(mode="after")
    def _has_an_account(self) -> XReplySettings:
        if self.refresh_token.get_secret_value():
            if not self.client_id:
                msg = phrase(
                    "a refresh token of X is renewed with the app's client; missing: CLIENT_ID"
                )
                raise ValueError(msg)
            return self
        if self.user_token.get_secret_value():
            return self
        missing = [name for name in _OAUTH1 if not getattr(self, name).get_secret_value()]
        if missing:
            names = ", ".join(name.upper() for name in missing)
            msg = phrase(
                "replies on X need the account's credentials; missing: %(names)s "
                "(or REFRESH_TOKEN with CLIENT_ID)",
                names=names,
            )
            raise ValueError(msg)
        return self


class XReplier(Replier):
    """Replies to posts on X."""

    Settings: ClassVar[type[BaseSettings]] = XReplySettings
    max_length: ClassVar[int] = MAX_WEIGHT
    length_of = staticmethod(weighted_length)

    def __init__(self, settings: XReplySettings) -> None:
        token = settings.user_token.get_secret_value()
        self._keeper = _keeper_of(settings)
        self._is_oauth1 = not token and self._keeper is None
        given = {name: getattr(settings, name) for name in _OAUTH1 if self._is_oauth1}
        self._client = tweepy.Client(
            token or None,
            *(secret.get_secret_value() for secret in given.values()),
            wait_on_rate_limit=False,
        )
        self._client.session.mount(TWEEPY_HOST, Redirect(settings.base_url, settings.timeout_s))
        self._names = OLD_NAMES
        self._me: tuple[str, str] | None = None

    def post(self, reply_to: str, text: str) -> OwnPost:
        """Post a reply; one request, whatever becomes of it."""
        self._renew()
        try:
            answer = self._client.create_tweet(
                text=text, in_reply_to_tweet_id=reply_to, user_auth=self._is_oauth1
            )
            external_id = str(answer.data["id"])
        except tweepy.HTTPException as error:
            raise self._refused(error, reply_error) from error
        except requests.ConnectTimeout as error:
            raise TransientError(phrase("X did not answer (ConnectTimeout)")) from error
        except requests.ConnectionError as error:
            if _never_left(error):
                raise TransientError(phrase("X cannot be reached")) from error
            raise PerhapsPostedError("X broke off before it said what it did") from error
        except (
            requests.RequestException,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            msg = phrase("X's answer cannot be read (%(kind)s)", kind=type(error).__name__)
            raise PerhapsPostedError(msg) from error
        return OwnPost(external_id, f"https://x.com/i/web/status/{external_id}")

    def find_own(self, reply_to: str, text: str, since: datetime) -> OwnSearch:
        """Look through the account's posts since then, newest first."""
        number, _ = self._account()
        route, token, is_sure = f"/2/users/{number}/tweets", None, True
        wanted, start = _plain(text), f"{since - _SLACK:%Y-%m-%dT%H:%M:%SZ}"
        for _ in range(_MOST_PAGES):
            asked = {"max_results": "100", "start_time": start}
            page = parse_page(
                self._named(route, asked | ({"pagination_token": token} if token else {}))
            )
            for post in page.posts:
                if post.reply_to_id != reply_to:
                    continue
                if _plain(post.text) == wanted:
                    url = post.url or f"https://x.com/i/web/status/{post.external_id}"
                    return OwnSearch(OwnPost(post.external_id, url), is_sure=True)
                is_sure = False
            is_sure = is_sure and not (page.rejected or page.gaps)
            token = page.next_token
            if token is None:
                return OwnSearch(None, is_sure)
        return OwnSearch(None, is_sure=False)

    def check(self) -> str:
        """Return the account's handle."""
        return f"@{self._account()[1]}"

    def close(self) -> None:
        """Give up connections."""
        self._client.session.close()

    def _account(self) -> tuple[str, str]:
        if self._me is None:
            found = self._ask("/2/users/me", {}).get("data")
            if not isinstance(found, Mapping) or not str(found.get("id")).isdecimal():
                raise TransientError(phrase("X does not say whose account this is"))
            self._me = (str(found["id"]), str(found.get("username", "")))
        return self._me

    def _named(self, route: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            return self._ask(route, {**params, **self._names})
        except UnknownNameError:
            self._names = NEW_NAMES if self._names is OLD_NAMES else OLD_NAMES
        return self._ask(route, {**params, **self._names})

    def _renew(self) -> None:
        if self._keeper is not None:
            self._client.bearer_token = self._keeper.access_token()

    def _refused(self, error: tweepy.HTTPException, of: _ErrorOf) -> Exception:
        """Return what a refusal means; a token that X takes no more is renewed at its next use."""
        is_token = error.response.status_code == 401  # noqa: PLR2004 - Unauthorized
        if is_token and self._keeper and self._keeper.distrust(self._client.bearer_token):
            return TransientError(phrase("X takes the account's token no more; it is renewed"))
        return _error(error.response, of)

    def _ask(self, route: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        self._renew()
        try:
            answer = self._client.request(
                "GET", route, params=dict(params), user_auth=self._is_oauth1
            )
            body = answer.json()
        except tweepy.HTTPException as error:
            raise self._refused(error, _look_error) from error
        except requests.RequestException as error:
            raise TransientError(
                phrase("X did not answer (%(kind)s)", kind=type(error).__name__)
            ) from error
        except (AttributeError, ValueError) as error:
            raise TransientError(phrase("X gave an answer that cannot be read")) from error
        if not isinstance(body, Mapping):
            raise TransientError(phrase("X gave an answer that is no object"))
        return body


def _keeper_of(settings: XReplySettings) -> TokenKeeper | None:
    if not settings.refresh_token.get_secret_value():
        return None
    renewal = RenewalSettings(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        refresh_token=settings.refresh_token,
        home=read_settings(Settings).home,
        base_url=settings.base_url,
        timeout_s=settings.timeout_s,
    )
    return TokenKeeper(renewal, utc_now)


def _look_error(
    status: int,
    headers: Mapping[str, str],
    body: Any,  # noqa: ANN401 - anything that JSON can hold
    now: datetime,
) -> Exception:
    """Return what an answer to a look means: of a look, nothing is in doubt."""
    known = error_of(status, headers, body, now)
    if isinstance(known, TransientError | UnknownNameError):
        return known
    return reply_error(status, headers, body, now)


def _error(response: requests.Response, of: _ErrorOf) -> Exception:
    try:
        body = response.json()
    except ValueError:
        body = None
    return of(response.status_code, response.headers, body, utc_now())


def _never_left(error: requests.ConnectionError) -> bool:
    """Say whether there was no connection that the request could have gone through."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}


def _plain(text: str) -> str:
    """Return a text without what X changes: entities, addresses, handles before it, white space."""
    text = without_links(unicodedata.normalize("NFC", html.unescape(text)))
    return " ".join(re.sub(r"^(?:\s*@\w{1,15})+\s", "", text).split())
