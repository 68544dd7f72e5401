"""The fake Reddit: signing in, listings, search, inbox and info, as PRAW 8 reads them.

A listing holds its newest 1,000 things and no more. `after` gives the things below an
anchor, `before` those directly above it. An anchor that was deleted gives an empty page
(an assumption: see `Rules.reddit_dead_anchor`); one below the horizon gives its lowest things.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from .faults import bend
from .query import QueryError
from .reddit_shape import account, escaped, inbox_thing, link_name, listing, thing
from .store import Author, Post, Store, compiled, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .faults import Fault

Json = dict[str, Any]
_SPANS_S = {"hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_678_400, "year": 31_622_400}
_PAGE = 25
_PAGE_LIMIT = 100


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def _refused(status: int, message: str, reason: str = "") -> RefusedError:
    body: Json = {"message": message, "error": status}
    return RefusedError(status, body | ({"reason": reason} if reason else {}))


class Reddit:
    """Answers one request at a time; the caller holds the store's lock."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def sign_in(self, form: dict[str, str], user: str) -> Json:
        """Give an access token to a client that names itself."""
        if not user:
            raise _refused(401, "Unauthorized")
        grant = form.get("grant_type", "")
        known = {"client_credentials", "password", "refresh_token", "authorization_code"}
        if grant not in known and not grant.endswith("installed_client"):
            return {"error": "unsupported_grant_type"}
        if grant == "password" and not (form.get("username") and form.get("password")):
            return {"error": "invalid_grant"}
        token, life_s = secrets.token_urlsafe(24), self.store.rules.reddit_token_life_s
        self.store.tokens[token] = time.time() + life_s
        answer: Json = {"access_token": token, "token_type": "bearer", "expires_in": life_s}
        if grant in {"refresh_token", "authorization_code"}:
            answer["refresh_token"] = form.get("refresh_token", "refresh")
        return answer | {"scope": "*"}

    def check_token(self, token: str) -> None:
        """Refuse an unknown or old access token."""
        if self.store.tokens.get(token, 0.0) < time.time():
            raise _refused(401, "Unauthorized")

    def answer(
        self, path: str, query: dict[str, str], fault: Fault | None, method: str = "GET"
    ) -> Any:
        """Give the body of a 200, or raise `RefusedError`."""
        parts = path.removesuffix(".json").strip("/").split("/")
        body = self._routed(parts, query, fault, method)
        return body if query.get("raw_json") == "1" else escaped(body)

    def _routed(
        self, parts: list[str], query: dict[str, str], fault: Fault | None, method: str
    ) -> Any:
        match parts:
            case ["r", places, ("new" | "comments") as what]:
                kind = "submission" if what == "new" else "comment"
                return self._page(self._newest(kind, places), query, fault)
            case ["search"] | ["r", _, "search"]:
                places = parts[1] if len(parts) > 1 else "all"
                within = query.get("restrict_sr", "").lower() in {"1", "true", "on"}
                return self._search(places if within else "all", query, fault)
            case ["message", ("mentions" | "inbox" | "unread") as folder]:
                return self._page(self._inbox(folder), query, fault, inbox_thing)
            case ["comments", number, *_]:
                return self._thread(number, fault)
            case ["user", name, what]:
                return self._user(name, what, query, fault)
        return self._api(parts, query, fault, method)

    def _api(
        self, parts: list[str], query: dict[str, str], fault: Fault | None, method: str
    ) -> Any:
        match parts:
            case ["api", "info"]:
                return self._info(query, fault)
            case ["api", "read_message"] if method == "POST":
                for name in query.get("id", "").split(","):
                    if post := self.store.find("reddit", name):
                        post.read = True
                return {}
            case ["api", "comment"] if method == "POST":
                return self._comment(query.get("thing_id", ""), query.get("text", ""))
            case ["api", "v1", "me"]:
                me = self.store.shelves["reddit"].author(self.store.rules.reddit_me)
                unread = sum(1 for _ in self._inbox("unread"))
                return account(me)["data"] | {"inbox_count": unread}
        raise _refused(404, "Not Found")

    def _user(self, name: str, what: str, query: dict[str, str], fault: Fault | None) -> Json:
        if what == "about":
            return account(self._account(name))
        newest = self._newest("comment", "all")
        return self._page((post for post in newest if post.author.username == name), query, fault)

    def _comment(self, name: str, text: str) -> Json:
        """Publish a comment of the account; Reddit's own refusals are a 200."""
        target = self.store.find("reddit", name)
        if target is None or target.gone:
            error = "DELETED_LINK" if name.startswith("t3_") else "DELETED_COMMENT"
            return {"json": {"errors": [[error, "that has been deleted", "parent"]]}}
        shelf, now = self.store.shelves["reddit"], self.store.now()
        number = shelf.free_id(now)
        post = Post(
            id=number,
            platform="reddit",
            kind="comment",
            text=text,
            author=shelf.author(self.store.rules.reddit_me),
            at=now,
            place=target.place,
            reply_to=name,
            history=[number],
            visible_from=now,
            extra={} if name.startswith("t3_") else {"link_id": link_name(target)},
        )
        shelf.put([post])
        return {"json": {"errors": [], "data": {"things": [thing(post, self.store)]}}}

    def _account(self, name: str) -> Author:
        author = self.store.shelves["reddit"].authors.get(name.lower())
        if author is None:
            raise _refused(404, "Not Found")
        return author

    def _newest(self, kind: str, places: str) -> Iterable[Post]:
        """Give the newest things of one kind in subreddits joined by "+", or in "all"."""
        wanted = {place.lower() for place in places.split("+")}
        for place in wanted:
            state = self.store.subreddit_states.get(place, "")
            if state == "private":
                raise _refused(403, "Forbidden", "private")
            if state == "banned":
                raise _refused(404, "Not Found", "banned")
            if state == "missing":
                where = {"location": f"/subreddits/search?q={place}"}
                raise RefusedError(302, {}, where)
        newest = self.store.shelves["reddit"].newest_first(self.store.now())
        everywhere = "all" in wanted
        return (
            post
            for post in newest
            if post.kind == kind and (everywhere or post.place.lower() in wanted)
        )

    def _search(self, places: str, query: dict[str, str], fault: Fault | None) -> Json:
        """Find submissions; Reddit's search knows no comments."""
        newest: Iterable[Post] = self._newest("submission", places)
        span = _SPANS_S.get(query.get("t", "all"))
        if span is not None:
            oldest = self.store.now() - span
            newest = itertools.takewhile(lambda post: post.at >= oldest, newest)
        try:
            parsed = compiled("reddit", query.get("q", ""))
        except QueryError:
            # Reddit has no errors for queries: what it cannot read finds nothing.
            return listing([], None, None)
        found = (post for post in newest if self.store.matches(parsed, post))
        return self._page(found, query, fault)

    def _inbox(self, folder: str) -> Iterable[Post]:
        me = re.compile(rf"(?<![\w/])/?u/{re.escape(self.store.rules.reddit_me)}\b", re.IGNORECASE)
        for post in self.store.shelves["reddit"].newest_first(self.store.now()):
            mention = post.kind == "comment" and me.search(post.text)
            message = post.kind == "message" and folder != "mentions"
            if (mention or message) and not (folder == "unread" and post.read):
                yield post

    def _page(
        self,
        newest: Iterable[Post],
        query: dict[str, str],
        fault: Fault | None,
        write: Callable[[Post, Store], Json] = thing,
    ) -> Json:
        """Cut one page out of the listing's newest things."""
        held = list(itertools.islice(newest, self.store.rules.reddit_horizon))
        asked = query.get("limit", "")
        size = min(max(int(asked) if asked.isdecimal() else _PAGE, 1), _PAGE_LIMIT)
        anchor = query.get("after") or query.get("before")
        start, end = 0, size
        if anchor:
            position = self._position(anchor, held)
            if position is None:
                return listing([], None, None)
            if query.get("after"):
                held_itself = 0 <= position < len(held) and held[position].external_id == anchor
                start = max(position, 0) + held_itself
                end = start + size
            elif position >= 0:
                start, end = max(0, position - size), position
        page = held[start:end]
        children = bend([write(post, self.store) for post in page], fault)
        after = page[-1].external_id if page and end < len(held) else None
        before = page[0].external_id if page and start > 0 else None
        return listing(children, after, before)

    def _position(self, anchor: str, held: list[Post]) -> int | None:
        """Tell where an anchor stands among the held things; None ends the listing."""
        post = self.store.find("reddit", anchor)
        if post is None or post.gone:
            return None if self.store.rules.reddit_dead_anchor == "empty" else -1
        return sum(1 for other in held if other.id > post.id)

    def _info(self, query: dict[str, str], fault: Fault | None) -> Json:
        """Give things by full name, deleted ones as their tombstones."""
        names = [name for name in query.get("id", "").split(",") if name][:_PAGE_LIMIT]
        found = [self.store.find("reddit", name) for name in names]
        if url := query.get("url"):
            newest = self._newest("submission", "all")
            found = [post for post in newest if post.url == url]
        children = [thing(post, self.store) for post in found if post is not None]
        return listing(bend(children, fault), None, None)

    def _thread(self, number: str, fault: Fault | None) -> list[Json]:
        """Give a submission and all its comments, flat."""
        post = self.store.shelves["reddit"].posts.get(number_of("reddit", number))
        if post is None or post.kind != "submission":
            raise _refused(404, "Not Found")
        comments = [
            thing(other, self.store)
            for other in self._newest("comment", "all")
            if link_name(other) == post.external_id
        ]
        head = listing([thing(post, self.store)], None, None)
        return [head, listing(bend(comments, fault), None, None)]
