"""The fake X: API v2 search, mentions, lookup, counts and users.

Answers are newest first; a page is continued by the id of its last post, so posts that
arrive during a walk move nothing. `since_id` must be sent again with every page, as on X.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .faults import bend
from .query import QueryError, handles
from .store import Author, Post, Store, compiled, iso
from .x_params import (
    FIELD_NAMES,
    ID,
    PAGE_NAMES,
    Asked,
    RefusedError,
    asked_of,
    bounds_of,
    check_names,
    invalid,
    page_size,
    sealed,
)
from .x_shape import PROBLEMS, missing, post_json, renamed, user_json
from .x_writing import write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .faults import Fault

Json = dict[str, Any]

_SEARCH_NAMES = PAGE_NAMES | FIELD_NAMES | {"query", "next_token", "sort_order"}
_COUNT_NAMES = {"query", "since_id", "until_id", "start_time", "end_time", "granularity"} | {
    "next_token",
    "search_count.fields",
}
_STEPS_S = {"minute": 60, "hour": 3_600, "day": 86_400}
_LOOKUP_LIMIT = 100
#: Posts that a lookup gives although the search does not: earlier versions.
_READABLE = {"", "superseded"}


class X:
    """Answers one request at a time; the caller holds the store's lock."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(
        self, path: str, query: dict[str, str], fault: Fault | None, posted: Json | None = None
    ) -> Json:
        """Give the body of a 200 or, where something was `posted`, 201; else `RefusedError`."""
        new_names = self.store.rules.x_naming == "post"
        try:
            body = self._routed(path, query, fault, posted)
        except RefusedError as refused:
            body = renamed(refused.body) if new_names else refused.body
            raise RefusedError(refused.status, body) from refused
        return renamed(body) if new_names else body

    def _routed(
        self, path: str, query: dict[str, str], fault: Fault | None, posted: Json | None
    ) -> Json:
        match path.strip("/").split("/")[1:]:
            case ["tweets"] if posted is not None:
                body = write(self.store, posted)
            case ["tweets", "search", "recent"]:
                body = self._search(query, fault)
            case ["tweets", "counts", "recent"]:
                body = self._counts(query)
            case ["tweets"]:
                body = self._lookup(query, fault)
            case ["users", "me"]:
                body = self._me(query)
            case ["users", "by", "username", username]:
                body = self._user(username, query)
            case ["users", number, "mentions"]:
                body = self._mentions(number, query, fault)
            case ["users", number, "tweets"]:
                body = self._written_by(number, query, fault)
            case _:
                raise RefusedError(404, {"title": "Not Found", "type": "about:blank"})
        return body

    def _search(self, query: dict[str, str], fault: Fault | None) -> Json:
        check_names(query, _SEARCH_NAMES, self.store.rules)
        size = page_size(query, low=10)
        return self._page(query, self._found(query), size, fault)

    def _mentions(self, number: str, query: dict[str, str], fault: Fault | None) -> Json:
        store = self.store
        check_names(query, PAGE_NAMES | FIELD_NAMES, store.rules)
        self._account()
        authors = store.shelves["x"].authors.values()
        user = next((author for author in authors if str(author.id) == number), None)
        if user is None:
            return {"errors": [_no_user(number, "id")]}
        handle = user.username.lower()
        size = page_size(query, low=5)
        bounds = bounds_of(query, store.rules, store.now(), search=False)
        newest = store.shelves["x"].newest_first(store.now())
        found = [post for post in newest if handle in handles(post.text)]
        reachable = found[: store.rules.x_mentions_horizon]
        return self._page(query, (post for post in reachable if bounds.hold(post)), size, fault)

    def _written_by(self, number: str, query: dict[str, str], fault: Fault | None) -> Json:
        check_names(query, PAGE_NAMES | FIELD_NAMES, self.store.rules)
        size = page_size(query, low=5)
        bounds = bounds_of(query, self.store.rules, self.store.now(), search=False)
        newest = self.store.shelves["x"].newest_first(self.store.now())
        own = (post for post in newest if str(post.author.id) == number and bounds.hold(post))
        return self._page(query, own, size, fault)

    def _found(self, query: dict[str, str]) -> Iterator[Post]:
        """Find newest first what the query and its bounds allow."""
        text, rules, now = query.get("query", ""), self.store.rules, self.store.now()
        if not text:
            raise invalid(query, "query", "Invalid 'query':''. 'query' must be a non-empty string")
        if len(text) > rules.x_query_limit:
            message = f"Rule length exceeds the maximum allowed of {rules.x_query_limit} characters"
            raise invalid(query, "query", message)
        try:
            parsed = compiled("x", text)
        except QueryError as error:
            raise invalid(query, "query", f"{error} (at position 1)") from error
        bounds = bounds_of(query, rules, now, search=True)
        newest = self.store.shelves["x"].newest_first(now, above=bounds.above, below=bounds.below)
        for post in newest:
            if post.at < bounds.start:
                return
            hidden = post.repost_of and not rules.x_reposts_in_search
            if not hidden and bounds.hold(post) and self.store.matches(parsed, post):
                yield post

    def _page(
        self, query: dict[str, str], found: Iterable[Post], size: int, fault: Fault | None
    ) -> Json:
        page: list[Post] = []
        meta: Json = {}
        for post in found:
            if len(page) == size:
                meta["next_token"] = sealed(page[-1].id, query)
                break
            page.append(post)
        if page:
            meta |= {"newest_id": page[0].external_id, "oldest_id": page[-1].external_id}
        if fault and fault.kind == "empty":
            page, meta = [], {}
        body = self._written(page, asked_of(query, self.store.rules), fault)
        meta["result_count"] = len(body.get("data", ()))
        return body | {"meta": meta}

    def _written(self, page: list[Post], asked: Asked, fault: Fault | None) -> Json:
        """Write posts with what they refer to."""
        store, known = self.store, self.store.shelves["x"].authors
        users: dict[int, Author] = {}
        originals: dict[str, Post] = {}
        errors: list[Json] = []
        for post in page:
            if "author_id" in asked.expansions:
                users[post.author.id] = post.author
            if "entities.mentions.username" in asked.expansions:
                named = filter(None, map(known.get, handles(post.text)))
                users |= {author.id: author for author in named}
            if "referenced_tweets.id" not in asked.expansions:
                continue
            for other in filter(None, (post.repost_of, post.quote_of, post.reply_to)):
                original = store.find("x", other)
                if original is None or original.gone not in _READABLE:
                    errors.append(missing(original, other, "referenced_tweets.id"))
                    continue
                originals[other] = original
                if "referenced_tweets.id.author_id" in asked.expansions:
                    users[original.author.id] = original.author
        if fault and fault.kind == "partial":
            errors.append(missing(None, "1", "referenced_tweets.id"))
        tweets = [post_json(post, asked.fields, store) for post in originals.values()]
        includes = {
            "users": [user_json(user, asked.user_fields) for user in users.values()],
            "tweets": tweets,
        }
        body: Json = {
            "data": bend([post_json(post, asked.fields, store) for post in page], fault),
            "includes": {name: values for name, values in includes.items() if values},
            "errors": errors,
        }
        return {name: value for name, value in body.items() if value}

    def _lookup(self, query: dict[str, str], fault: Fault | None) -> Json:
        check_names(query, FIELD_NAMES | {"ids"}, self.store.rules)
        ids = query.get("ids", "").split(",")
        if len(ids) > _LOOKUP_LIMIT or not all(map(ID.fullmatch, ids)):
            message = "The `ids` query parameter value is not a list of 1 to 100 ids"
            raise invalid(query, "ids", message)
        readable: list[Post] = []
        problems: list[Json] = []
        for number in ids:
            post = self.store.find("x", number)
            if post is not None and post.gone in _READABLE:
                readable.append(post)
            else:
                problems.append(missing(post, number, "ids"))
        body = self._written(readable, asked_of(query, self.store.rules), fault)
        if problems:
            body["errors"] = problems + body.get("errors", [])
        return body

    def _counts(self, query: dict[str, str]) -> Json:
        store = self.store
        check_names(query, _COUNT_NAMES, store.rules)
        step = _STEPS_S.get(query.get("granularity", "hour"))
        if step is None:
            raise invalid(query, "granularity", "not one of [minute,hour,day]")
        counts: dict[int, int] = {}
        for post in self._found(query):
            bucket = int(post.at // step)
            counts[bucket] = counts.get(bucket, 0) + 1
        bounds = bounds_of(query, store.rules, store.now(), search=True)
        data = [
            {
                "start": iso(max(bucket * step, bounds.start)),
                "end": iso(min((bucket + 1) * step, bounds.end)),
                "tweet_count": counts.get(bucket, 0),
            }
            for bucket in range(int(bounds.start // step), int(bounds.end // step) + 1)
        ]
        return {"data": data, "meta": {"total_tweet_count": sum(counts.values())}}

    def _account(self) -> Author:
        """Give the account behind the token, which need not have posted."""
        return self.store.shelves["x"].author(self.store.rules.x_me)

    def _me(self, query: dict[str, str]) -> Json:
        if self.store.rules.x_app_only:
            body = {
                "title": "Unsupported Authentication",
                "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this "
                "endpoint.  Supported authentication types are [OAuth 1.0a User Context].",
                "type": PROBLEMS + "unsupported-authentication",
                "status": 403,
            }
            raise RefusedError(403, body)
        return {"data": user_json(self._account(), asked_of(query, self.store.rules).user_fields)}

    def _user(self, username: str, query: dict[str, str]) -> Json:
        self._account()
        author = self.store.shelves["x"].authors.get(username.lower())
        if author is None:
            return {"errors": [_no_user(username, "username")]}
        return {"data": user_json(author, asked_of(query, self.store.rules).user_fields)}


def _no_user(value: str, parameter: str) -> Json:
    return missing(None, value, parameter) | {
        "resource_type": "user",
        "detail": f"Could not find user with {parameter}: [{value}].",
    }
