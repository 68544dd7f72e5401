"""Each kind of source with its platform: how to publish there, and how to read it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, ClassVar

from config.clock import utc_now
from listener.collector import Collector
from listener.collectors.reddit import RedditCollector, RedditKind, RedditOptions
from listener.collectors.rss import RssCollector, RssOptions, RssSettings
from listener.collectors.x import XCollector, XKind, XOptions, XSettings
from listener.reddit_api.account import RedditSettings
from tests.networks import Networks

#: How long answers may take on a busy machine; tests of time-outs set less.
TIMEOUT_S = 30.0


class World(ABC):
    """One kind of source on the fake networks."""

    name: ClassVar[str]
    platform: ClassVar[str]
    #: What the fake networks call the platform, and the paths that are listings.
    network: ClassVar[str]
    path: ClassVar[str] = "*"
    is_paged: ClassVar[bool] = True
    #: Whether it reads text that the brand's query does not find.
    matches_query: ClassVar[bool] = True
    #: Kinds of spoiled item that can still be read.
    readable: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.timeout_s = TIMEOUT_S
        self.control = networks.control

    @abstractmethod
    def collector(self, *, page_size: int = 10, credential: str = "one") -> Collector:
        """Make a collector that reads this world."""

    def post(self, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        """Say a post as the fake networks take it."""
        return {"text": f"nordlicht {text}", "published_at": at, **more}

    def publish(
        self, count: int, *, ends: datetime | None = None, step_s: float = 1.0, **more: Any
    ) -> list[str]:
        """Publish posts, the newest at `ends`; give their ids as posts have them."""
        newest = ends or utc_now()
        posts = [
            self.post(f"number {number}", newest - timedelta(seconds=number * step_s), **more)
            for number in range(count, 0, -1)
        ]
        return self.add(posts)

    def add(self, posts: list[dict[str, Any]]) -> list[str]:
        return self.control.add(self.network, posts)

    def fault(self, kind: str, **options: Any) -> None:
        self.control.fault(self.network, kind, **{"path": self.path, **options})

    def ids(self, given: list[str]) -> set[str]:
        """Give external ids as collected posts have them."""
        return set(given)


class XSearch(World):
    name = "x-search"
    platform = "x"
    network = "x"
    path = "/2/tweets/search/recent"

    def options(self, page_size: int) -> XOptions:
        return XOptions(page_size=max(10, page_size))

    def collector(self, *, page_size: int = 10, credential: str = "one") -> Collector:
        settings = XSettings.model_validate(
            {
                "bearer_token": credential,
                "base_url": self.networks.x_url,
                "timeout_s": self.timeout_s,
            }
        )
        return XCollector(self.options(page_size), settings)


class XMentions(XSearch):
    name = "x-mentions"
    path = "/2/users/*/mentions"
    matches_query = False

    def options(self, page_size: int) -> XOptions:
        return XOptions(kind=XKind.MENTIONS, account="@nordlicht", page_size=max(10, page_size))

    def post(self, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        return {"text": f"@nordlicht {text}", "published_at": at, **more}


class RedditSearch(World):
    name = "reddit-search"
    platform = "reddit"
    network = "reddit"
    path = "/r/*"
    kind: ClassVar[RedditKind] = RedditKind.SEARCH
    thing: ClassVar[str] = "submission"

    def collector(self, *, page_size: int = 10, credential: str = "one") -> Collector:
        settings = RedditSettings.model_validate(
            {
                "client_id": credential,
                "client_secret": "secret",
                "username": "nordlicht_team",
                "password": "secret",
                "base_url": self.networks.reddit_url,
                "timeout_s": self.timeout_s,
            }
        )
        return RedditCollector(RedditOptions(kind=self.kind, limit=page_size), settings)

    def post(self, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        said = super().post(text, at, **more)
        title = {"title": said["text"][:40]} if self.thing == "submission" else {}
        return said | {"kind": self.thing} | title


class RedditComments(RedditSearch):
    name = "reddit-comments"
    kind = RedditKind.COMMENTS
    thing = "comment"


class RedditInbox(RedditComments):
    name = "reddit-inbox"
    path = "/message/*"
    kind = RedditKind.INBOX
    matches_query = False

    def post(self, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        return {"text": f"u/nordlicht_team {text}", "published_at": at, "kind": "comment", **more}


class Rss(World):
    name = "rss"
    platform = "rss"
    network = "feeds"
    is_paged = False
    readable = frozenset({"no_id", "bad_date", "bad_types"})
    document: ClassVar[str] = "rss"

    def __init__(self, networks: Networks) -> None:
        super().__init__(networks)
        self.control.set_feed("news", format=self.document, horizon=200)

    @property
    def url(self) -> str:
        return f"{self.networks.feeds_url}/news"

    def collector(self, *, page_size: int = 10, credential: str = "one") -> Collector:
        settings = RssSettings(timeout_s=self.timeout_s)
        url = self.url if credential == "one" else f"{self.url}?{credential}"
        return RssCollector(RssOptions(url=url), settings)

    def post(self, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        said = super().post(text, at, **more)
        return said | {"title": said["text"][:30]}

    def ids(self, given: list[str]) -> set[str]:
        # A hash of the feed's address goes before ids that are not unique in the world.
        before = hashlib.sha256(self.url.encode()).hexdigest()[:10]
        return {f"{before}:{one}" for one in given}


class Atom(Rss):
    name = "atom"
    document = "atom"

    def ids(self, given: list[str]) -> set[str]:
        return {f"tag:news.example,2020:{one}" for one in given}


WORLDS: tuple[type[World], ...] = (
    XSearch,
    XMentions,
    RedditSearch,
    RedditComments,
    RedditInbox,
    Rss,
    Atom,
)
