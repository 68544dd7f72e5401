"""Reddit, through PRAW: search of submissions, comments of subreddits, or our inbox mentions.

Reddit has no "since", its search knows no comments, and a listing ends after about 1,000
things: at more new ones between two collections the oldest are lost, and a gap is
reported. Each walk reads newest first until it is a little before the newest thing known,
by time; names of several things mark the place, because one that was deleted would end
the walk without a word. PRAW's own time-out is ignored by its API calls and it sleeps
when the limit is used up, so both are done here: see
`listener.reddit_api.session`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from praw.exceptions import PRAWException
from prawcore.exceptions import OAuthException, PrawcoreException, ResponseException
from pydantic import Field, field_validator

from config.clock import utc_now
from config.errors import InputError, PermanentError, TransientError
from config.phrases import phrase
from config.settings import read_settings
from listener.collector import Collector, SourceOptions
from listener.overlap import overlap_s
from listener.queries.compile import compile_query
from listener.queries.dialects import REDDIT_DIALECT
from listener.reddit_api.account import RedditSettings, require_account, sign_in
from listener.reddit_api.cursor import (
    HORIZON,
    ListingState,
    OpenWalk,
    RedditCursor,
    is_first_page_again,
)
from listener.reddit_api.errors import error_of, failure_of
from listener.reddit_api.payload import Listing, parse_listing
from listener.reddit_api.session import RedditSession
from listener.types import GapReport, Page, Walk

_EMPTY = Listing(posts=(), rejected=(), deleted=(), items=(), after=None, size=0)


class RedditKind(StrEnum):
    """What is read."""

    SEARCH = "search"
    COMMENTS = "comments"
    INBOX = "inbox"


class RedditOptions(SourceOptions):
    """Options of a source on Reddit."""

    kind: RedditKind = Field(default=RedditKind.SEARCH, description="search, comments or inbox")
    subreddits: tuple[str, ...] = Field(
        default=("all",),
        min_length=1,
        description="Subreddits without r/; all of them if left out.",
    )
    limit: int = Field(default=100, ge=1, le=100, description="Things per request.")

    @field_validator("subreddits")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        bare = tuple(name.strip().removeprefix("/").removeprefix("r/").lower() for name in names)
        for name in bare:
            if not (name.replace("_", "").isalnum() and name.isascii()):
                msg = phrase(
                    "'%(name)s' is no name of a subreddit: write it without r/, for example "
                    "gadgets",
                    name=name,
                )
                raise ValueError(msg)
        return bare


@dataclass(frozen=True, slots=True)
class _Target:
    """One listing that is walked."""

    path: str
    params: Mapping[str, str | int]

    @property
    def key(self) -> str:
        said = f"{self.path} {sorted(self.params.items())}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class RedditCollector(Collector):
    """Reads submissions that a query finds, comments, or comments that name our account."""

    Options: ClassVar[type[SourceOptions]] = RedditOptions

    def __init__(self, options: RedditOptions, settings: RedditSettings | None = None) -> None:
        self._options = options
        self._settings = settings or read_settings(RedditSettings)
        if options.kind is RedditKind.INBOX:
            require_account(self._settings, "the inbox of Reddit")
        self._session = RedditSession(self._settings.timeout_s)
        self._reddit = sign_in(self._settings, self._session)
        self.matches_query = options.kind is not RedditKind.INBOX

    def identity(self) -> str:
        """Return a hash of app, account and address."""
        said = f"{self._settings.client_id} {self._settings.username} {self._settings.api_url()}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def check(self) -> None:
        """Read one thing of the listing."""
        for target in self._targets(None)[:1]:
            self._ask(_Target(target.path, {"limit": 1}), "")

    def close(self) -> None:
        """Give up connections."""
        self._session.close()

    def pages(self, walk: Walk) -> Iterator[Page]:
        """Yield all pages down to the cursor; each search text of the query is a walk."""
        targets = self._targets(walk)
        known = RedditCursor.read(walk.cursor).listings
        cursor = RedditCursor(
            listings={one.key: known[one.key] for one in targets if one.key in known}
        )
        for target in targets:
            state = cursor.listings.get(target.key) or ListingState(start_at=walk.since)
            for listing, gaps, after in self._walk(target, state, walk):
                cursor = cursor.with_state(target.key, after)
                yield Page(
                    posts=tuple(post for post in listing.posts if state.wants(post, walk.until)),
                    cursor=cursor.dump(),
                    gaps=gaps,
                    rejected=listing.rejected,
                    deleted=listing.deleted,
                )

    def _targets(self, walk: Walk | None) -> list[_Target]:
        places = "+".join(self._options.subreddits)
        if self._options.kind is RedditKind.INBOX:
            return [_Target("message/mentions", {})]
        if self._options.kind is RedditKind.COMMENTS:
            return [_Target(f"r/{places}/comments", {})]
        if walk is None:
            return [_Target(f"r/{places}/new", {})]
        if walk.query is None:
            msg = phrase("a search on Reddit needs the brand's query")
            raise InputError(msg)
        how: dict[str, str | int] = {
            "sort": "new",
            "t": "all",
            "type": "link",
            "restrict_sr": "true",
            "include_over_18": "on",
        }
        texts = compile_query(walk.query, REDDIT_DIALECT).texts
        return [_Target(f"r/{places}/search", how | {"q": text}) for text in texts]

    def _walk(
        self, target: _Target, state: ListingState, asked: Walk
    ) -> Iterator[tuple[Listing, tuple[GapReport, ...], ListingState]]:
        """Yield each page with what is missing, and the state once it is stored."""
        full_s = self._settings.overlap_s
        back_s = overlap_s(full_s, state.swept_at, asked.now)
        since = (state.newest_at or state.start_at) - timedelta(seconds=back_s)
        fresh = OpenWalk(
            started_at=asked.now,
            bound_at=max(since, state.start_at),
            is_sweep=back_s >= full_s,
        )
        walk = state.walk or fresh
        while True:
            page = self._next_page(target, walk)
            is_lost = page is None and walk.seen < HORIZON
            if is_lost and not walk.restarted:
                walk = fresh.model_copy(update={"restarted": True})
                continue
            if page is not None:
                walk = walk.advanced(page, state)
            is_past = walk.oldest_at is not None and walk.oldest_at < walk.bound_at
            if page is None or page.after is None or is_past:
                yield page or _EMPTY, state.gaps(walk, is_lost=is_lost), state.finished(walk)
                return
            yield page, (), state.model_copy(update={"walk": walk})

    def _next_page(self, target: _Target, walk: OpenWalk) -> Listing | None:
        """Return what follows the last page; None if all that marks its end is gone."""
        for anchor in walk.after or ("",):
            page = self._ask(target, anchor)
            if not walk.after or (page.size and not is_first_page_again(page, walk)):
                return page
        return None

    def _ask(self, target: _Target, anchor: str) -> Listing:
        """Return one page of a listing; whatever is wrong becomes one of our errors."""
        wait_s = self._session.blocked_s()
        if wait_s > 0:
            msg = phrase("Reddit's rate limit is used up")
            raise TransientError(msg, retry_after_s=wait_s)
        params: dict[str, str | int] = {"limit": self._options.limit, **target.params}
        if anchor:
            params["after"] = anchor
        try:
            return parse_listing(
                self._reddit.request(method="GET", path=target.path, params=params)
            )
        except ResponseException as error:
            answer = error.response
            raise error_of(answer.status_code, answer.headers, target.path, utc_now()) from error
        except (OAuthException, PRAWException, KeyError) as error:
            # The KeyError is prawcore's, for a 401 or 403 that gives no reason it knows.
            msg = phrase(
                "Reddit refused to sign in (%(kind)s): check the settings "
                "GROUNDSWELL_REDDIT_CLIENT_ID, _CLIENT_SECRET, _USERNAME, _PASSWORD",
                kind=type(error).__name__,
            )
            raise PermanentError(msg) from error
        except PrawcoreException as error:
            raise failure_of(error, target.path, utc_now()) from error
        except ValueError as error:
            msg = phrase("Reddit gave an answer that cannot be read")
            raise TransientError(msg) from error
