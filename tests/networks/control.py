"""The control plane: what a test does to the fake networks, and what it asks of them.

Every method takes and gives what JSON can carry (times also as `datetime`), because the
same methods are served under `/_control` for other processes: see `remote.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from fnmatch import fnmatchcase
from typing import Any

from .faults import Faults
from .feeds import DEFAULTS
from .posts import made_up_posts
from .store import Author, Post, Rules, Shelf, Store, as_platform, compiled, number_of, seconds

_KINDS = {"x": "post", "reddit": "comment", "feeds": "item"}
_WHYS = {"deleted", "removed", "suspended", "protected"}
_AUTHOR_NAMES = {"author_name", "author_bio", "author_url", "author_location"}
_POST_NAMES = _AUTHOR_NAMES | {  # `mood` is what `made_up_posts` says about its texts
    "text",
    "author",
    "published_at",
    "title",
    "place",
    "lang",
    "url",
    "id",
    "reply_to",
    "repost_of",
    "quote_of",
    "kind",
    "appears_in_s",
    "extra",
    "mood",
}
_RULE_NAMES = {field.name for field in fields(Rules)}


class Control:
    """Changes and questions. Safe to call from any thread while the server runs."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    # -- posts ------------------------------------------------------------------------------

    def add(self, platform: str, posts: Iterable[Mapping[str, Any]]) -> list[str]:
        """Publish posts; give their ids as the platform writes them, in the given order.

        A post needs `text`; README.md lists what else it can have. One with an old
        `published_at` arrives late, with an id below those that are there already.
        """
        with self._store.lock:
            shelf = self._store.shelves[as_platform(platform)]
            now = self._store.now()
            made = [self._made(shelf, given, now) for given in posts]
            shelf.put(made)
            return [post.external_id for post in made]

    def fill(self, platform: str, count: int, **options: Any) -> list[str]:
        """Publish made-up posts that end now; `options` are those of `made_up_posts`.

        `kind` and `place` are given to every post.
        """
        same = {name: options.pop(name) for name in ("kind", "place") if name in options}
        if platform == "feeds":
            same.setdefault("place", "news")
        options.setdefault("span_s", 3_600.0)
        options.setdefault("start", self._store.now() - options["span_s"])
        return self.add(platform, (post | same for post in made_up_posts(count, **options)))

    def _made(self, shelf: Shelf, given: Mapping[str, Any], now: float) -> Post:
        _only(given, _POST_NAMES, "of a post")
        at = seconds(given.get("published_at"), now)
        number = number_of(shelf.platform, str(given["id"])) if "id" in given else shelf.free_id(at)
        if number in shelf.posts:
            msg = f"{shelf.platform} has a post {given['id']} already"
            raise ValueError(msg)
        username = given.get("author") or "somebody"
        named = {
            name.removeprefix("author_"): value
            for name, value in given.items()
            if name in _AUTHOR_NAMES
        }
        post = Post(
            id=number,
            platform=shelf.platform,
            kind=given.get("kind") or _KINDS[shelf.platform],
            text=given["text"],
            author=shelf.author(username, named),
            at=at,
            title=given.get("title") or "",
            place=given.get("place") or ("news" if shelf.platform == "feeds" else "gadgets"),
            lang=given.get("lang") or "en",
            url=given.get("url") or "",
            reply_to=given.get("reply_to") or "",
            repost_of=given.get("repost_of") or "",
            quote_of=given.get("quote_of") or "",
            history=[number],
            visible_from=now + (given.get("appears_in_s") or 0.0),
            extra=dict(given.get("extra") or {}),
        )
        # Kept at once, so that a later post of the same batch gets another id.
        shelf.posts[number] = post
        return post

    def edit(self, platform: str, post_id: str, text: str, *, title: str | None = None) -> str:
        """Change a post's text; give its id, which is a new one on X."""
        with self._store.lock:
            post, now = self._existing(platform, post_id), self._store.now()
            if post.platform != "x":
                post.text, post.edited_at = text, now
                post.title = post.title if title is None else title
                return post.external_id
            given: dict[str, Any] = {
                name: getattr(post, name)
                for name in ("lang", "reply_to", "quote_of", "extra", "place")
            }
            given |= {"text": text, "author": post.author.username, "published_at": now}
            [new_id] = self.add("x", [given])
            new = self._existing("x", new_id)
            history = [*post.history, new.id]
            for number in history:
                self._store.shelves["x"].posts[number].history = history
            post.gone = "superseded"
            return new_id

    def delete(self, platform: str, post_ids: Iterable[str], *, why: str = "deleted") -> None:
        """Take posts away: "deleted", "removed", "suspended" or "protected"."""
        if why not in _WHYS:
            msg = f"a post is not {why!r} but one of {', '.join(sorted(_WHYS))}"
            raise ValueError(msg)
        with self._store.lock:
            for post_id in post_ids:
                self._existing(platform, post_id).gone = why

    def delete_account(self, platform: str, username: str, *, why: str = "deleted") -> None:
        """Delete an account: its posts go too, except on Reddit, where they lose their author."""
        with self._store.lock:
            for post in self._store.shelves[as_platform(platform)].posts.values():
                if post.author.username == username:
                    post.account_deleted = platform == "reddit"
                    post.gone = post.gone if platform == "reddit" else why

    def author(self, platform: str, username: str, **changes: Any) -> dict[str, Any]:
        """Make or change an account (name, bio, location, url, followers, verified); give it."""
        known = {field.name for field in fields(Author)} - {"id", "username"}
        _only(changes, known, "of an author")
        with self._store.lock:
            shelf = self._store.shelves[as_platform(platform)]
            author = asdict(shelf.author(username, changes))
        return author | {"id": str(author["id"])}

    def posts(self, platform: str, query: str | None = None) -> list[dict[str, Any]]:
        """List what can be seen now, newest first: id, text, author, at, kind, place."""
        dialect = "x" if platform == "x" else "reddit"
        with self._store.lock:
            shelf = self._store.shelves[as_platform(platform)]
            found = [
                post
                for post in shelf.newest_first(self._store.now())
                if query is None or self._store.matches(compiled(dialect, query), post)
            ]
        names = ("text", "at", "kind", "place")
        return [
            {name: getattr(post, name) for name in names}
            | {"id": post.external_id, "author": post.author.username}
            for post in found
        ]

    def _existing(self, platform: str, post_id: str) -> Post:
        post = self._store.find(as_platform(platform), post_id)
        if post is None:
            msg = f"{platform} has no post {post_id}"
            raise ValueError(msg)
        return post

    # -- rules and faults -------------------------------------------------------------------

    def set_rules(self, **changes: Any) -> dict[str, Any]:
        """Change what the platforms permit (see `store.Rules`); give all the rules."""
        _only(changes, _RULE_NAMES, "of the rules")
        with self._store.lock:
            for name, value in changes.items():
                setattr(self._store.rules, name, value)
            return asdict(self._store.rules)

    def set_feed(self, name: str, **changes: Any) -> None:
        """Make or change a feed (see `feeds.DEFAULTS`)."""
        _only(changes, set(DEFAULTS), "of a feed")
        with self._store.lock:
            self._store.feeds.setdefault(name, {}).update(changes)

    def set_subreddit(self, name: str, state: str) -> None:
        """Make a subreddit "private" (403), "banned" (404), "missing" (302) or "" (open)."""
        with self._store.lock:
            self._store.subreddit_states[name.lower()] = state

    def advance(self, by_s: float) -> None:
        """Move the platforms' clock; negative goes back."""
        with self._store.lock:
            self._store.clock_offset_s += by_s

    def expire_tokens(self) -> None:
        """Make every Reddit access token invalid, as after its life."""
        with self._store.lock:
            self._store.tokens.clear()

    def fault(self, platform: str, kind: str, **options: Any) -> int:
        """Strike coming requests with a fault (README.md lists them); give its number."""
        with self._store.lock:
            return self._faults.add(platform, kind, **options)

    def clear_faults(self, number: int | None = None) -> None:
        """Take one fault away, or all; requests that hang already stay so."""
        with self._store.lock:
            self._faults.clear(number)

    def faults(self) -> list[dict[str, Any]]:
        """List the faults with how often each has `struck` and may still (`times`)."""
        with self._store.lock:
            return self._faults.listed()

    # -- what happened ----------------------------------------------------------------------

    def requests(
        self, platform: str | None = None, path: str = "*", *, since: int = 0
    ) -> list[dict[str, Any]]:
        """List requests, oldest first, numbered `n` from 1; `since` leaves out up to that."""
        with self._store.lock:
            return [
                dict(entry)
                for entry in self._store.requests
                if entry["n"] > since
                and platform in {None, entry["platform"]}
                and fnmatchcase(entry["path"], path)
            ]

    def count(self, platform: str | None = None, path: str = "*", *, since: int = 0) -> int:
        """Count requests."""
        return len(self.requests(platform, path, since=since))

    def clear_requests(self) -> None:
        """Forget the requests; numbering goes on."""
        with self._store.lock:
            self._store.requests.clear()

    def hooks(self, name: str | None = None, *, since: int = 0) -> list[dict[str, Any]]:
        """List what was posted to /hook or /hook/NAME: n, at, name, headers, body, json."""
        with self._store.lock:
            return [
                dict(hook)
                for hook in self._store.hooks
                if hook["n"] > since and name in {None, hook["name"]}
            ]

    def wait_for_hooks(
        self, count: int, *, timeout_s: float = 10.0, name: str | None = None
    ) -> list[dict[str, Any]]:
        """Wait until so many hooks came, and list them. Raises TimeoutError."""
        return waited(lambda: self.hooks(name), count, timeout_s)

    def clear_hooks(self) -> None:
        """Forget the hooks."""
        with self._store.lock:
            self._store.hooks.clear()

    def reset(self) -> None:
        """Forget everything: posts, rules, faults, feeds, tokens, requests and hooks."""
        with self._store.lock:
            self._store.clear()
            self._faults.clear()


def waited(hooks: Any, count: int, timeout_s: float) -> list[dict[str, Any]]:
    """Ask for hooks until there are enough."""
    end = time.monotonic() + timeout_s
    while len(found := hooks()) < count:
        if time.monotonic() > end:
            msg = f"{len(found)} of {count} hooks came within {timeout_s} s"
            raise TimeoutError(msg)
        time.sleep(0.02)
    return list(found)


def _only(given: Iterable[str], known: set[str], of: str) -> None:
    """Refuse names that would do nothing."""
    if unknown := set(given) - known:
        msg = f"{', '.join(sorted(unknown))}: no such thing {of}, only {', '.join(sorted(known))}"
        raise ValueError(msg)
