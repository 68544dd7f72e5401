"""What the fake platforms hold: posts, authors and the rules of each platform, in memory.

An id says when its post was published, as on the real platforms, so a post that is added
late with an old publication time gets an id below those that were read already.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal

from .query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Platform = Literal["x", "reddit", "feeds"]
PLATFORMS: tuple[Platform, ...] = ("x", "reddit", "feeds")

#: Milliseconds since 1970 at which X's and our Reddit's ids start. Source of X's:
#: https://github.com/twitter-archive/snowflake.
X_EPOCH_MS = 1_288_834_974_657
REDDIT_EPOCH_MS = 1_609_459_200_000

_FULLNAME_PREFIXES = {"comment": "t1_", "submission": "t3_", "message": "t4_"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Rules:
    """What the platforms permit. A test changes them with `Control.set_rules`."""

    #: Answer with 429 when a window is used up; otherwise only the headers are sent.
    limiter: bool = False
    latency_s: float = 0.0
    #: Names of fields in X's answers: "tweet" (OpenAPI 2.166) or "post" (2.167).
    x_naming: str = "tweet"
    #: Refuse the other naming's parameters instead of understanding both.
    x_strict_naming: bool = False
    #: The real one ends 30 s before now.
    x_search_lag_s: float = 0.0
    x_horizon_s: float = 7 * 86_400.0
    x_mentions_horizon: int = 800
    x_query_limit: int = 512
    #: Since 2026-05-04 the real search returns none.
    x_reposts_in_search: bool = True
    x_limit: int = 450
    x_window_s: float = 900.0
    #: The account behind the bearer token.
    x_me: str = "nordlicht"
    #: Answer /2/users/me with 403, as for a token that belongs to no user.
    x_app_only: bool = False
    #: After how long a post that was made here is shown.
    x_write_lag_s: float = 0.0
    #: Bearer tokens that X accepts; empty accepts every one.
    x_tokens: list[str] = field(default_factory=list)
    x_token_life_s: int = 7_200
    reddit_me: str = "nordlicht_team"
    reddit_horizon: int = 1_000
    reddit_limit: int = 1_000
    reddit_window_s: float = 600.0
    reddit_token_life_s: int = 86_400
    #: What a listing gives whose anchor was deleted: "empty" or "first_page".
    reddit_dead_anchor: str = "empty"


@dataclass(slots=True)
class Author:
    """An account on one platform."""

    id: int
    username: str
    name: str
    bio: str = ""
    location: str = ""
    url: str = ""
    followers: int = 100
    verified: bool = False
    created_at: float = 1_500_000_000.0


@dataclass(slots=True)
class Post:
    """A post with everything that any platform's answer needs."""

    id: int
    platform: Platform
    #: "post", "submission", "comment", "message" or "item".
    kind: str
    text: str
    author: Author
    at: float
    title: str = ""
    #: Subreddit or feed.
    place: str = ""
    lang: str = "en"
    url: str = ""
    reply_to: str = ""
    repost_of: str = ""
    quote_of: str = ""
    #: Every id this post has had, oldest first.
    history: list[int] = field(default_factory=list)
    edited_at: float | None = None
    #: Why it is not to be seen: "", "deleted", "removed", "suspended", "protected" or
    #: "superseded" by an edit.
    gone: str = ""
    account_deleted: bool = False
    visible_from: float = 0.0
    read: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        """The platform's own form of the id."""
        if self.platform == "reddit":
            return _FULLNAME_PREFIXES[self.kind] + base36(self.id)
        return str(self.id) if self.platform == "x" else f"item-{self.id}"

    @property
    def version(self) -> tuple[int, float | None]:
        """Something that changes when the text does."""
        return self.id, self.edited_at


class Shelf:
    """The posts of one platform in the order of their ids."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.posts: dict[int, Post] = {}
        self.authors: dict[str, Author] = {}
        self._order: list[int] = []
        self._last_of: dict[int, int] = {}

    def free_id(self, at: float) -> int:
        """Give an unused id for a post of that time."""
        milliseconds = int(at * 1000)
        if self.platform == "x":
            first = (milliseconds - X_EPOCH_MS) << 22
        else:
            first = milliseconds - REDDIT_EPOCH_MS
        chosen = max(first, self._last_of.get(first, first - 1) + 1)
        while chosen in self.posts:
            chosen += 1
        self._last_of[first] = chosen
        return chosen

    def put(self, posts: list[Post]) -> None:
        """Shelve new posts, many at once."""
        self.posts.update((post.id, post) for post in posts)
        ids = [post.id for post in posts]
        in_order = not self._order or not ids or min(ids) > self._order[-1]
        self._order.extend(ids)
        if not in_order or ids != sorted(ids):
            self._order.sort()

    def newest_first(
        self, now: float, *, above: int | None = None, below: int | None = None
    ) -> Iterator[Post]:
        """Yield what can be seen now, both bounds excluded."""
        low = 0 if above is None else bisect_right(self._order, above)
        high = len(self._order) if below is None else bisect_left(self._order, below)
        for index in range(high - 1, low - 1, -1):
            post = self.posts[self._order[index]]
            if not post.gone and post.visible_from <= now:
                yield post

    def author(self, username: str, fields: Mapping[str, Any] | None = None) -> Author:
        """Give the account of that name, made on first use; `fields` change it."""
        key = username.lower()
        if key not in self.authors:
            number = 1_000_000_000 + len(self.authors) * 7_919
            self.authors[key] = Author(id=number, username=username, name=username)
        author = self.authors[key]
        for name, value in (fields or {}).items():
            if value is not None:
                setattr(author, name, value)
        return author


class Store:
    """Everything the fake networks know. Hold `lock` around any use of it."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.rules = Rules()
        self.shelves: dict[Platform, Shelf] = {name: Shelf(name) for name in PLATFORMS}
        self.feeds: dict[str, dict[str, Any]] = {}
        self.subreddit_states: dict[str, str] = {}
        self.tokens: dict[str, float] = {}
        #: X's refresh tokens that were used, the one that it takes next, and live tokens' ends.
        self.x_spent: set[str] = set()
        self.x_next = ""
        self.x_issued: dict[str, float] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=200_000)
        self.request_count = 0
        self.hooks: list[dict[str, Any]] = []
        self.windows: dict[str, tuple[float, int]] = {}
        self.clock_offset_s = 0.0
        self._verdicts: dict[tuple[str, str], dict[tuple[int, float | None], bool]] = {}

    def now(self) -> float:
        """Give the platforms' time, which `Control.advance` moves."""
        return time.time() + self.clock_offset_s

    def matches(self, query: Query, post: Post) -> bool:
        """Tell whether a post is found, and remember it: pages ask again and again."""
        verdicts = self._verdicts.setdefault((query.dialect, query.text), {})
        verdict = verdicts.get(post.version)
        if verdict is None:
            verdict = verdicts[post.version] = query.matches(self._searched(post))
        return verdict

    def _searched(self, post: Post) -> Post:
        """Give the post as the search sees it: a repost is found by its original's words."""
        original = self.find("x", post.repost_of) if post.repost_of else None
        if original is None:
            return post
        return replace(post, text=f"RT @{original.author.username}: {original.text}")

    def find(self, platform: Platform, external_id: str) -> Post | None:
        """Give the post with the platform's own form of an id."""
        try:
            number = number_of(platform, external_id)
        except ValueError:
            return None
        post = self.shelves[platform].posts.get(number)
        return post if post and post.external_id == external_id else None

    def window(self, name: str, length_s: float) -> tuple[int, float]:
        """Count one request in a fixed window; give how many it had and when it ends."""
        now = time.time()
        started, used = self.windows.get(name, (now, 0))
        if now >= started + length_s:
            started, used = now, 0
        self.windows[name] = (started, used + 1)
        return used + 1, started + length_s


@lru_cache(maxsize=256)
def compiled(dialect: str, text: str) -> Query:
    """Parse a query once."""
    return Query(dialect, text)


def base36(number: int) -> str:
    """Write a number as Reddit does."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"


def number_of(platform: Platform, external_id: str) -> int:
    """Read the platform's own form of an id. Raises ValueError if it has none."""
    if platform == "x":
        return int(external_id)
    if platform == "reddit":
        return int(external_id.partition("_")[2] or external_id, 36)
    return int(external_id.removeprefix("item-"))


def as_platform(name: str) -> Platform:
    """Check the name of a platform."""
    if name not in PLATFORMS:
        msg = f"there is no platform {name!r}, only {', '.join(PLATFORMS)}"
        raise ValueError(msg)
    return name


def seconds(moment: datetime | str | float | None, default: float) -> float:
    """Read a time given as datetime, ISO text or Unix seconds."""
    if moment is None:
        return default
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            msg = f"the time {moment} has no zone"
            raise ValueError(msg)
        return moment.timestamp()
    return float(moment)


def iso(at: float) -> str:
    """Write a time as X does, to the millisecond."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
