"""X, through tweepy: recent search, or the mentions of one account.

X's recent search looks back 7 days, the mentions of an account hold the newest 800, and a
search shows posts some 30 s after they were published. Each walk reads all pages above a
fixed id that lies a little before the newest post known (late posts), newest first; what a
horizon hides is reported as a gap. tweepy has a fixed address, no timeouts, and retries a
429 for ever, so none of these is left to it: see `Redirect` and `_ask`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import requests
import tweepy
from pydantic import ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import utc_now
from config.errors import AppError, InputError, PermanentError, TransientError
from config.phrases import phrase
from config.settings import read_settings
from listener.collector import Collector, SourceOptions
from listener.overlap import overlap_s
from listener.queries.compile import compile_query
from listener.queries.dialects import X_DIALECT
from listener.types import GapKind, GapReport, Page, Walk
from listener.x_api.cursor import OpenWalk, SearchState, XCursor, advanced, hidden, stuck
from listener.x_api.errors import StaleTokenError, UnknownNameError, error_of, refusal_words
from listener.x_api.models import id_at, id_before, time_of
from listener.x_api.payload import XPage, parse_page
from listener.x_api.session import NEW_NAMES, OLD_NAMES, TWEEPY_HOST, Redirect

#: How far recent search looks back, with a minute for the request to arrive. Source:
#: https://docs.x.com/x-api/posts/search/introduction.
SEARCH_HORIZON = timedelta(days=7) - timedelta(minutes=1)
#: Newest mentions that X gives. Deleted ones count, so a few less may come.
MENTIONS_HORIZON = 760


class XSettings(BaseSettings):
    """How X is reached."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_X_", extra="ignore", frozen=True)

    bearer_token: SecretStr = Field(
        min_length=1, description="Bearer token of your X app; read access is enough."
    )
    base_url: str = Field(
        default=TWEEPY_HOST, description="Address of X's API, or of a proxy before it."
    )
    timeout_s: float = Field(
        default=20.0, gt=0, description="Seconds without an answer after which a call is given up."
    )
    overlap_s: float = Field(
        default=90.0,
        ge=0,
        description="Seconds before the newest known post that are read again, for late posts.",
    )


class XKind(StrEnum):
    """What is read."""

    SEARCH = "search"
    MENTIONS = "mentions"


class XOptions(SourceOptions):
    """Options of a source on X."""

    # YAML gives a numeric id as a number.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    kind: XKind = Field(default=XKind.SEARCH, description="search or mentions")
    account: str | None = Field(
        default=None, description="For mentions: the account's handle or numeric id."
    )
    page_size: int = Field(default=100, ge=10, le=100, description="Posts per request.")

    @model_validator(mode="after")
    def _mentions_have_an_account(self) -> XOptions:
        if self.kind is XKind.MENTIONS and not (self.account or "").lstrip("@"):
            msg = phrase(
                "mentions need `account`: the handle or the numeric id of your account on X"
            )
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class _Target:
    """One listing that is walked: a search text, or an account's mentions."""

    key: str
    route: str
    params: Mapping[str, str]


class XCollector(Collector):
    """Reads posts that a query finds, or that mention an account."""

    Options: ClassVar[type[SourceOptions]] = XOptions

    def __init__(self, options: XOptions, settings: XSettings | None = None) -> None:
        self._options = options
        self._settings = settings or read_settings(XSettings)
        self._client = tweepy.Client(
            self._settings.bearer_token.get_secret_value(), wait_on_rate_limit=False
        )
        self._client.session.mount(
            TWEEPY_HOST, Redirect(self._settings.base_url, self._settings.timeout_s)
        )
        self._names = OLD_NAMES
        self._account_id: str | None = None
        self.matches_query = options.kind is XKind.SEARCH

    def identity(self) -> str:
        """Return a hash of the token and the address."""
        token = self._settings.bearer_token.get_secret_value()
        return hashlib.sha256(f"{token} {self._settings.base_url}".encode()).hexdigest()[:16]

    def check(self) -> None:
        """Count posts of the last days, which costs one request, and find the account."""
        self._ask("/2/tweets/counts/recent", {"query": "from:x", "granularity": "day"})
        if self._options.kind is XKind.MENTIONS:
            self._find_account()

    def close(self) -> None:
        """Give up connections."""
        self._client.session.close()

    def pages(self, walk: Walk) -> Iterator[Page]:
        """Yield all pages above the cursor; each search text of the query is a walk."""
        targets = self._targets(walk)
        known = XCursor.read(walk.cursor).searches
        cursor = XCursor(searches={one.key: known[one.key] for one in targets if one.key in known})
        for target in targets:
            state = cursor.searches.get(target.key, SearchState())
            for page, after in self._walk(target, state, walk):
                cursor = cursor.with_state(target.key, after)
                yield Page(
                    posts=page.posts, cursor=cursor.dump(), gaps=page.gaps, rejected=page.rejected
                )

    def _targets(self, walk: Walk) -> list[_Target]:
        if self._options.kind is XKind.MENTIONS:
            account_id = self._find_account()
            return [_Target(account_id, f"/2/users/{account_id}/mentions", {})]
        if walk.query is None:
            msg = phrase("a search on X needs the brand's query")
            raise InputError(msg)
        return [
            _Target(
                hashlib.sha256(text.encode()).hexdigest()[:16],
                "/2/tweets/search/recent",
                {"query": text},
            )
            for text in compile_query(walk.query, X_DIALECT).texts
        ]

    def _find_account(self) -> str:
        """Return the id of the account, asking X once for that of a handle."""
        if self._account_id is None:
            account = (self._options.account or "").lstrip("@")
            if account.isdecimal():
                self._account_id = account
            else:
                answer = self._ask(f"/2/users/by/username/{account}", {})
                found = answer.get("data")
                if not isinstance(found, Mapping) or not str(found.get("id")).isdecimal():
                    msg = phrase(
                        "X has no account by the handle in the option `account`: correct it"
                    )
                    raise PermanentError(msg)
                self._account_id = str(found["id"])
        return self._account_id

    def _walk(
        self, target: _Target, state: SearchState, asked: Walk
    ) -> Iterator[tuple[XPage, SearchState]]:
        """Yield each page with the state of the search once it is stored."""
        is_search = self._options.kind is XKind.SEARCH
        least = id_at(asked.now - SEARCH_HORIZON) if is_search else 0
        gaps: tuple[GapReport, ...] = ()
        walk = state.walk
        if walk is None or int(walk.bound) < least:
            full_s = self._settings.overlap_s
            back_s = overlap_s(full_s, state.swept_at, asked.now)
            bound = id_before(int(state.since), back_s) if state.since else id_at(asked.since)
            if bound < least:
                gaps = hidden(state, bound, asked.now - SEARCH_HORIZON)
                bound = least
            walk = OpenWalk(bound=str(bound), started_at=asked.now, is_sweep=back_s >= full_s)
        while True:
            try:
                page = self._page(target, walk, asked.until)
            except StaleTokenError:
                if walk.token is None:
                    raise
                walk = OpenWalk(bound=walk.bound, started_at=asked.now, is_sweep=walk.is_sweep)
                continue
            gaps += stuck(walk, page)
            walk = advanced(walk, page, int(state.since or 0))
            if walk.token is None and not is_search and walk.seen >= MENTIONS_HORIZON:
                since = state.checked_at or time_of(int(walk.bound))
                detail = phrase("X gives the newest 800 mentions of an account only")
                gaps += (GapReport(GapKind.HORIZON, since, walk.oldest_at, detail),)
            state = state.after_page(walk)
            yield replace(page, gaps=page.gaps + gaps), state
            gaps = ()
            if walk.token is None:
                return

    def _page(self, target: _Target, walk: OpenWalk, until: datetime | None) -> XPage:
        """Return the next page of a walk.

        An empty one in the middle is asked for again: X's search sometimes gives nothing
        for a moment, and believing it would end the walk early.
        """
        page = parse_page(self._named(target, walk, until))
        if walk.token is not None and not (page.posts or page.rejected or page.next_token):
            page = parse_page(self._named(target, walk, until))
        return page

    def _named(self, target: _Target, walk: OpenWalk, until: datetime | None) -> Mapping[str, Any]:
        """Ask for a page in the names that this address understands."""
        params = {**target.params, "max_results": str(self._options.page_size)}
        if int(walk.bound) > 0:
            params["since_id"] = walk.bound
        if until is not None:
            params["until_id"] = str(id_at(until))
        if walk.token is not None:
            params["pagination_token"] = walk.token
        try:
            return self._ask(target.route, params | self._names)
        except UnknownNameError:
            self._names = NEW_NAMES if self._names is OLD_NAMES else OLD_NAMES
        return self._ask(target.route, params | self._names)

    def _ask(self, route: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return X's answer as it is; whatever is wrong becomes one of our errors."""
        try:
            answer = self._client.request("GET", route, params=dict(params))
            body = answer.json()
        except tweepy.HTTPException as error:
            raise _our_error(error.response) from error
        except requests.RequestException as error:
            msg = phrase("X did not answer (%(kind)s)", kind=type(error).__name__)
            raise TransientError(msg) from error
        except (AttributeError, ValueError) as error:
            # tweepy takes the body of an error and the reset time for what they should be.
            msg_0 = "X gave an answer that cannot be read"
            raise TransientError(msg_0) from error
        if not isinstance(body, Mapping):
            msg_0 = "X gave an answer that is no object"
            raise TransientError(msg_0)
        if "errors" in body and not body.keys() & {"data", "meta"}:
            msg = phrase(
                "X refused: %(body)s; check the source's options, such as `account`",
                body=refusal_words(body),
            )
            raise PermanentError(msg)
        return body


def _our_error(response: requests.Response) -> AppError:
    try:
        body = response.json()
    except ValueError:
        body = None
    return error_of(response.status_code, response.headers, body, utc_now())
