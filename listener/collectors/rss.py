"""RSS, Atom and RDF feeds, through feedparser; the document is fetched with httpx.

A feed holds its newest items only, often 10 to 50, and has no older pages: what falls off
its end between two collections is lost. So where a document shares no item with the one
before it, a gap is reported. ETag and Last-Modified keep unchanged feeds from being sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import ClassVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import utc_now
from config.errors import AppError, PermanentError, TransientError
from config.phrases import Number, phrase
from config.settings import read_settings
from listener.answers import retry_after_s
from listener.collector import Collector, SourceOptions
from listener.feed_payload import Feed, parse_feed
from listener.types import GapKind, GapReport, Page, Post, Walk

#: Items that a cursor remembers; more than feeds hold.
_REMEMBERED = 5_000


class RssSettings(BaseSettings):
    """How feeds are fetched."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_RSS_", extra="ignore", frozen=True)

    user_agent: str = Field(
        default="groundswell (feed reader)", description="How requests name themselves."
    )
    timeout_s: float = Field(
        default=20.0, gt=0, description="Seconds after which a feed that is not there is given up."
    )
    max_bytes: int = Field(
        default=20_000_000, gt=0, description="Largest document that is read, in bytes."
    )


class RssOptions(SourceOptions):
    """Options of a feed."""

    url: str = Field(description="Address of the feed")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        parsed = httpx.URL(url.strip())
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            msg = phrase("must be a web address, for example https://example.com/feed.xml")
            raise ValueError(msg)
        return str(parsed)


class _State(BaseModel):
    """What the last documents held.

    Args:
        start_at: Older items were not wanted when this source began.
        checked_at: When the last whole document was read.
        etag: Its version, as the server names it.
        modified: When it changed, as the server says.
        known: Hash of each item of the last document, and when it was first seen.

    """

    model_config = ConfigDict(frozen=True)

    start_at: AwareDatetime
    checked_at: AwareDatetime | None = None
    etag: str | None = None
    modified: str | None = None
    known: dict[str, AwareDatetime] = Field(default_factory=dict)


class RssCollector(Collector):
    """Reads the items of one feed."""

    Options: ClassVar[type[SourceOptions]] = RssOptions

    def __init__(self, options: RssOptions, settings: RssSettings | None = None) -> None:
        self._options = options
        self._settings = settings or read_settings(RssSettings)
        self._client = httpx.Client(
            timeout=httpx.Timeout(self._settings.timeout_s, connect=5.0),
            follow_redirects=True,
            headers={
                "user-agent": self._settings.user_agent,
                "accept": "application/atom+xml, application/rss+xml, */*;q=0.5",
            },
        )

    def identity(self) -> str:
        """Return a hash of the feed's address."""
        return hashlib.sha256(self._options.url.encode()).hexdigest()[:16]

    def check(self) -> None:
        """Fetch the feed and read it."""
        answer, document = self._fetch({})
        self._read(answer, document, utc_now())

    def close(self) -> None:
        """Give up connections."""
        self._client.close()

    def pages(self, walk: Walk) -> Iterator[Page]:
        """Yield one page with all items of the feed, none where it did not change."""
        state = _state_of(walk)
        answer, document = self._fetch(_conditions(state))
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            after = state.model_copy(update={"checked_at": walk.now})
            yield Page(posts=(), cursor=after.model_dump_json(exclude_none=True))
            return
        feed = self._read(answer, document, walk.now)
        posts, after, gaps = _take(feed, state, walk.now)
        if feed.is_whole:
            # Else the document is read again, whole perhaps, although it did not change.
            after = after.model_copy(
                update={
                    "etag": answer.headers.get("etag"),
                    "modified": answer.headers.get("last-modified"),
                }
            )
        yield Page(
            posts=tuple(post for post in posts if _is_wanted(post, state, walk)),
            cursor=after.model_dump_json(exclude_none=True),
            gaps=gaps,
            rejected=feed.rejected,
        )

    def _fetch(self, conditions: dict[str, str]) -> tuple[httpx.Response, bytes]:
        """Return the answer and its body, given up when it takes too long or is too large."""
        ends_at = monotonic() + 2 * self._settings.timeout_s
        body = bytearray()
        try:
            with self._client.stream("GET", self._options.url, headers=conditions) as answer:
                if answer.status_code not in {httpx.codes.OK, httpx.codes.NOT_MODIFIED}:
                    raise _error_of(answer)
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > self._settings.max_bytes:
                        msg = phrase(
                            "the feed is larger than %(max_bytes)s bytes: raise "
                            "GROUNDSWELL_RSS_MAX_BYTES if it is the right address",
                            max_bytes=Number(self._settings.max_bytes),
                        )
                        raise PermanentError(msg)
                    if monotonic() > ends_at:
                        msg = phrase("the feed came too slowly and was given up")
                        raise TransientError(msg)
        except httpx.TooManyRedirects as error:
            msg = phrase("the feed's address leads in a circle: correct the option `url`")
            raise PermanentError(msg) from error
        except httpx.RequestError as error:
            msg = phrase("the feed's server did not answer (%(kind)s)", kind=type(error).__name__)
            raise TransientError(msg) from error
        return answer, bytes(body)

    def _read(self, answer: httpx.Response, document: bytes, now: datetime) -> Feed:
        feed = parse_feed(
            document,
            url=self._options.url,
            now=now,
            content_type=answer.headers.get("content-type"),
        )
        if feed.is_feed:
            return feed
        if _is_web_page(document):
            msg = phrase(
                "the address gives a web page instead of a feed: set the option `url` to the feed "
                "itself (look for a link to RSS or Atom on the page)"
            )
            raise PermanentError(msg)
        msg = phrase("the feed's server gave a document that is no feed")
        raise TransientError(msg)


def _state_of(walk: Walk) -> _State:
    try:
        return _State.model_validate_json(walk.cursor or "")
    except ValidationError:
        return _State(start_at=walk.since)


def _conditions(state: _State) -> dict[str, str]:
    known = {"if-none-match": state.etag, "if-modified-since": state.modified}
    return {name: value for name, value in known.items() if value}


def _take(
    feed: Feed, state: _State, now: datetime
) -> tuple[list[Post], _State, tuple[GapReport, ...]]:
    """Return the items, those without a date with the time they were first seen."""
    hashes = {post.external_id: _hash(post.external_id) for post in feed.posts}
    posts = [
        replace(post, published_at=state.known.get(hashes[post.external_id], now))
        if post.external_id in feed.undated
        else post
        for post in feed.posts
    ]
    gaps: tuple[GapReport, ...] = ()
    if posts and state.known and state.known.keys().isdisjoint(hashes.values()):
        oldest = min(post.published_at for post in posts)
        detail = phrase("the feed holds none of the items of the last collection any more")
        gaps = (GapReport(GapKind.HORIZON, state.checked_at, max(oldest, state.start_at), detail),)
    seen = {hashes[post.external_id]: post.published_at for post in posts}
    # A document that was cut, or is empty for a moment, does not make the others unknown.
    kept = {} if feed.is_whole and posts else state.known
    known = dict(
        list((seen | {k: v for k, v in kept.items() if k not in seen}).items())[:_REMEMBERED]
    )
    return posts, _State(start_at=state.start_at, checked_at=now, known=known), gaps


def _hash(external_id: str) -> str:
    return hashlib.sha256(external_id.encode()).hexdigest()[:16]


def _is_wanted(post: Post, state: _State, walk: Walk) -> bool:
    return post.published_at >= state.start_at and (
        walk.until is None or post.published_at <= walk.until
    )


def _is_web_page(document: bytes) -> bool:
    start = document[:2_000].lstrip().lower()
    return b"<!doctype html" in start or b"<html" in start


def _error_of(answer: httpx.Response) -> AppError:
    status = answer.status_code
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - their fault, or too often
        wait_s = retry_after_s(answer.headers, utc_now())
        return TransientError(
            phrase("the feed's server failed with %(status)s", status=status), retry_after_s=wait_s
        )
    advice = {
        401: phrase("it wants a password, which feeds cannot be given here"),
        403: phrase("it does not let feed readers in"),
        404: phrase("there is nothing at the address: correct the option `url`"),
        410: phrase("the feed was taken away for good: remove the source"),
    }.get(status, phrase("correct the option `url`"))
    return PermanentError(
        phrase(
            "the feed's server refused with %(status)s: %(advice)s", status=status, advice=advice
        )
    )
