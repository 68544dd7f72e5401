"""Replies on Reddit, through PRAW, in the name of one account.

PRAW and prawcore try again by themselves after some failures, sleeping; for a post that would
be a second one, so `listener.reddit_api.session` and `sign_in` take that from them. A reply
to a quarantined place comes back without its id; it is found among the account's comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import ClassVar

import requests
from praw.exceptions import PRAWException, RedditAPIException
from prawcore.exceptions import (
    OAuthException,
    PrawcoreException,
    RequestException,
    ResponseException,
)
from pydantic import model_validator
from pydantic_settings import BaseSettings

from config.clock import utc_now
from config.errors import AppError, TransientError
from config.phrases import phrase
from listener.reddit_api.account import RedditSettings, require_account, sign_in
from listener.reddit_api.errors import error_of, failure_of
from listener.reddit_api.payload import parse_listing
from listener.reddit_api.session import RedditSession
from listener.replier import (
    OwnPost,
    OwnSearch,
    PerhapsPostedError,
    Refusal,
    Replier,
    ReplyRefusedError,
)

#: Characters of a comment. Source: the error TOO_LONG of https://www.reddit.com/dev/api#POST_api_comment.
MAX_CHARS = 10_000

#: Comments of a listing's page, and pages that are looked through.
_PAGE = 100
_MOST_PAGES = 5

#: How far Reddit's clock may be behind ours.
_SLACK = timedelta(minutes=2)

#: Reddit's names of errors, https://www.reddit.com/dev/api#POST_api_comment, and what helps.
_REFUSALS = {
    "DELETED_COMMENT": Refusal.GONE,
    "DELETED_LINK": Refusal.GONE,
    "THREAD_LOCKED": Refusal.RESTRICTED,
    "TOO_OLD": Refusal.RESTRICTED,
    "USER_BLOCKED": Refusal.RESTRICTED,
    "COMMENT_GUIDANCE_VALIDATION_FAILED": Refusal.RESTRICTED,
    "TOO_LONG": Refusal.TOO_LONG,
    "USER_REQUIRED": Refusal.TOKEN,
}
_ADVICE = {
    Refusal.GONE: "the post was deleted",
    Refusal.RESTRICTED: "the thread is locked, archived, or closed to this account",
    Refusal.TOO_LONG: "Reddit finds it too long: shorten it",
    Refusal.TOKEN: "the credentials ended or are wrong: set new ones, see docs/replies.md",
    Refusal.SUSPENDED: "the account is suspended: sign in on Reddit and follow what it says",
    Refusal.OTHER: "look at the post on Reddit",
}
_WAIT = re.compile(r"(\d+)\s*(milli)?(sec|min|hour)", re.IGNORECASE)
_UNITS_S = {"sec": 1.0, "min": 60.0, "hour": 3600.0}


class RedditReplySettings(RedditSettings):
    """In whose name Reddit is answered: reading can do without an account."""

    @model_validator(mode="after")
    def _has_an_account(self) -> RedditReplySettings:
        require_account(self, "replying on Reddit")
        return self


class RedditReplier(Replier):
    """Comments under submissions and comments."""

    Settings: ClassVar[type[BaseSettings]] = RedditReplySettings
    max_length: ClassVar[int] = MAX_CHARS

    def __init__(self, settings: RedditReplySettings) -> None:
        self._session = RedditSession(settings.timeout_s)
        self._reddit = sign_in(settings, self._session)
        self._url = settings.base_url.rstrip("/")
        self._name = ""

    def post(self, reply_to: str, text: str) -> OwnPost:
        """Post a comment; one request, after the one that signs in."""
        self._account()
        kind, _, number = reply_to.partition("_")
        target = self._reddit.submission(number) if kind == "t3" else self._reddit.comment(number)
        try:
            made = target.reply(text)
            found = OwnPost(made.fullname, f"{self._url}{made.permalink}") if made else None
        except RedditAPIException as error:
            raise _refused((item.error_type, item.message or "") for item in error.items) from error
        except ResponseException as error:
            answer = error.response
            raise _answered(answer.status_code, answer, "api/comment") from error
        except RequestException as error:
            raise _unanswered(error) from error
        except (PRAWException, PrawcoreException, AttributeError, TypeError, ValueError) as error:
            msg = phrase("Reddit's answer cannot be read (%(kind)s)", kind=type(error).__name__)
            raise PerhapsPostedError(msg) from error
        if found is None:
            raise PerhapsPostedError("Reddit took the comment and did not say where it is")
        return found

    def find_own(self, reply_to: str, text: str, since: datetime) -> OwnSearch:
        """Look through the account's comments since then, newest first."""
        wanted, is_sure, after = " ".join(text.split()), True, ""
        for _ in range(_MOST_PAGES):
            params: dict[str, str | int] = {"sort": "new", "limit": _PAGE}
            found = self._ask(f"user/{self._account()}/comments", params | {"after": after})
            try:
                page = parse_listing(found)
            except ValueError as error:
                raise TransientError(phrase("Reddit gave an answer that cannot be read")) from error
            for post in page.posts:
                if post.published_at < since - _SLACK:
                    return OwnSearch(None, is_sure)
                if post.reply_to_id != reply_to:
                    continue
                if " ".join(post.text.split()) == wanted:
                    return OwnSearch(OwnPost(post.external_id, post.url or ""), is_sure=True)
                is_sure = False
            # One of them may be the reply, taken away by a moderator.
            is_sure = is_sure and not (page.rejected or page.deleted)
            if page.after is None:
                return OwnSearch(None, is_sure)
            after = page.after
        return OwnSearch(None, is_sure=False)

    def check(self) -> str:
        """Return the account's name."""
        return f"u/{self._account()}"

    def close(self) -> None:
        """Give up connections."""
        self._session.close()

    def _account(self) -> str:
        """Return the account's name, signing in if that was not done."""
        if not self._name:
            found = self._ask("api/v1/me", {})
            name = found.get("name") if isinstance(found, Mapping) else None
            if not isinstance(found, Mapping) or not isinstance(name, str):
                raise TransientError(phrase("Reddit does not say whose account this is"))
            if found.get("is_suspended"):
                raise _refusal(Refusal.SUSPENDED)
            self._name = name
        return self._name

    def _ask(self, path: str, params: dict[str, str | int]) -> object:
        wait_s = self._session.blocked_s()
        if wait_s > 0:
            raise TransientError(phrase("Reddit's rate limit is used up"), retry_after_s=wait_s)
        try:
            return self._reddit.request(method="GET", path=path, params=params)
        except ResponseException as error:
            answer = error.response
            if answer.status_code in {401, 403}:
                raise _refusal(Refusal.TOKEN) from error
            raise error_of(answer.status_code, answer.headers, path, utc_now()) from error
        except (OAuthException, PRAWException, KeyError) as error:
            raise _refusal(Refusal.TOKEN) from error
        except PrawcoreException as error:
            raise failure_of(error, path, utc_now()) from error
        except ValueError as error:
            raise TransientError(phrase("Reddit gave an answer that cannot be read")) from error


def _refused(items: Iterable[tuple[str, str]]) -> AppError:
    for name, message in items:
        if name == "RATELIMIT":
            return TransientError(
                phrase("Reddit lets this account comment more slowly"),
                retry_after_s=_wait_s(message),
            )
        if name in _REFUSALS:
            return _refusal(_REFUSALS[name])
    return _refusal(Refusal.OTHER)


def _wait_s(message: str) -> float | None:
    """Return the seconds that Reddit's own words ask to wait."""
    found = _WAIT.search(message)
    if found is None:
        return None
    return 1.0 if found[2] else float(found[1]) * _UNITS_S[found[3].lower()]


def _answered(status: int, answer: requests.Response, path: str) -> AppError:
    known = error_of(status, answer.headers, path, utc_now())
    if isinstance(known, TransientError):
        # At a 429 Reddit did nothing; of its own failures it does not say whether it did.
        return known if status == HTTPStatus.TOO_MANY_REQUESTS else PerhapsPostedError(str(known))
    if status == HTTPStatus.UNAUTHORIZED:
        return _refusal(Refusal.TOKEN)
    if status == HTTPStatus.FORBIDDEN:  # banned there, private, or locked
        return _refusal(Refusal.RESTRICTED)
    if status == HTTPStatus.NOT_FOUND:
        return _refusal(Refusal.GONE)
    return _refusal(Refusal.OTHER)


def _unanswered(error: RequestException) -> AppError:
    cause = error.original_exception
    answer = getattr(cause, "response", None)
    if answer is not None:
        return _answered(answer.status_code, answer, "api/comment")
    inner = cause.__cause__
    reason = getattr(inner.args[0], "reason", None) if inner and inner.args else None
    never_left = isinstance(inner, requests.ConnectTimeout) or type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
    }
    if never_left:
        return TransientError(phrase("Reddit cannot be reached"))
    return PerhapsPostedError("Reddit broke off before it said what it did")


def _refusal(refusal: Refusal) -> ReplyRefusedError:
    advice = _ADVICE.get(refusal, _ADVICE[Refusal.OTHER])
    return ReplyRefusedError(f"Reddit refused: {advice}", refusal)
