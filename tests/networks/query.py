"""The search languages of X and Reddit: enough of each to judge a collector's queries.

X: words, "phrases", OR, implicit AND, brackets, -negation, @handle, #tag, from:, to:, lang:,
url:, is:, has:. Reddit: words, "phrases", AND, OR, NOT, brackets, author:, title:,
selftext:, subreddit:. A word is found as a whole word, whatever its case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(r'\(|\)|-?"[^"]*"|-?(?:[a-z_]+:)"[^"]*"|-?[^\s()"]+', re.IGNORECASE)
#: A word, or one Chinese, Japanese or Korean character: a run of those is a phrase.
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[^\W{_CJK}]+|[{_CJK}]")
_HANDLE = re.compile(r"(?<!\w)@([A-Za-z0-9_]{1,15})")
_TAG = re.compile(r"(?<!\w)#(\w+)")
_FIELDS = {
    "x": {"from", "to", "lang", "url", "is", "has", "conversation_id"},
    "reddit": {"author", "title", "selftext", "subreddit", "self", "site", "url"},
}
_KINDS = {"retweet", "reply", "quote", "verified", "nullcast"}
_PARTS = {"links", "hashtags", "mentions", "media", "images", "videos", "geo"}


class _Author(Protocol):
    @property
    def username(self) -> str: ...
    @property
    def verified(self) -> bool: ...


class Searchable(Protocol):
    """What a query looks at."""

    @property
    def text(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def lang(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def repost_of(self) -> str: ...
    @property
    def quote_of(self) -> str: ...
    @property
    def reply_to(self) -> str: ...
    @property
    def author(self) -> _Author: ...


class QueryError(ValueError):
    """The platform would refuse this query."""


class Query:
    """A parsed query."""

    def __init__(self, dialect: str, text: str) -> None:
        self.dialect = dialect
        self.text = text
        self._tokens = _TOKEN.findall(text)
        if text.count('"') % 2:
            msg = "missing a closing quote"
            raise QueryError(msg)
        self._position = 0
        self._standing = False
        self._test = self._either()
        if self._position < len(self._tokens):
            raise QueryError(f"no viable alternative at input '{self._tokens[self._position]}'")
        if dialect == "x" and not self._standing:
            msg = "there must be at least one standalone operator in the query"
            raise QueryError(msg)

    def matches(self, post: Searchable) -> bool:
        """Tell whether the query finds a post."""
        return self._test(post)

    def _peek(self) -> str | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _either(self) -> Callable[[Searchable], bool]:
        tests = [self._all()]
        while self._peek() == "OR":
            self._position += 1
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda post: any(test(post) for test in tests)

    def _all(self) -> Callable[[Searchable], bool]:
        tests: list[Callable[[Searchable], bool]] = []
        while (token := self._peek()) not in {None, ")", "OR"}:
            if token == "AND" and self.dialect == "reddit" and tests:
                self._position += 1
                continue
            tests.append(self._one())
        if not tests:
            raise QueryError(f"no viable alternative at input '{self._peek() or '<EOF>'}'")
        return tests[0] if len(tests) == 1 else lambda post: all(test(post) for test in tests)

    def _one(self) -> Callable[[Searchable], bool]:
        token = self._tokens[self._position]
        self._position += 1
        if token == "(":
            inner = self._either()
            if self._peek() != ")":
                msg = "missing ')'"
                raise QueryError(msg)
            self._position += 1
            return inner
        if token == "-" or (token.startswith("-") and len(token) == 1):
            msg = "negating a group is not allowed"
            raise QueryError(msg)
        if token == "NOT" and self.dialect == "reddit":
            if self._peek() is None:
                msg = "nothing follows NOT"
                raise QueryError(msg)
            denied = self._one()
            return lambda post: not denied(post)
        if token.startswith("-"):
            standing = self._standing
            wanted = self._operator(token[1:])
            self._standing = standing
            return lambda post: not wanted(post)
        return self._operator(token)

    def _operator(self, token: str) -> Callable[[Searchable], bool]:
        name, colon, value = token.partition(":")
        if colon and not token.startswith('"') and re.fullmatch(r"[a-z_]+", name):
            if value.startswith("//"):
                raise QueryError(f'write url:"{token}" to search for an address')
            if name not in _FIELDS[self.dialect] or not value:
                raise QueryError(f"Reference to invalid operator '{name}'")
            return self._field(name, value.strip('"').lower())
        self._standing = True
        if self.dialect == "x" and token.startswith("@"):
            handle = token[1:].lower()
            return lambda post: handle in handles(post.text)
        if token.startswith("#"):
            tag = token[1:].lower()
            return lambda post: tag in {found.lower() for found in _TAG.findall(post.text)}
        return _phrase(token, lambda post: f"{post.title} {post.text}")

    def _field(self, name: str, value: str) -> Callable[[Searchable], bool]:
        if name in {"from", "to", "url", "conversation_id", "author", "title", "subreddit"}:
            self._standing = True
        if name in {"is", "has"} and value not in (_KINDS if name == "is" else _PARTS):
            raise QueryError(f"Reference to invalid operator '{name}:{value}'")
        tests: dict[str, Callable[[Searchable], bool]] = {
            "from": lambda post: post.author.username.lower() == value.lstrip("@"),
            "author": lambda post: post.author.username.lower() == value.removeprefix("u/"),
            "to": lambda post: post.text.lower().startswith("@" + value.lstrip("@")),
            "lang": lambda post: post.lang == value,
            "url": lambda post: value in f"{post.url} {post.text}".lower(),
            "site": lambda post: value in post.url.lower(),
            "conversation_id": lambda post: post.reply_to == value,
            "subreddit": lambda post: post.place.lower() == value,
            "self": lambda post: (not post.url) == (value in {"1", "true", "yes"}),
            "title": _phrase(value, lambda post: post.title),
            "selftext": _phrase(value, lambda post: post.text),
            "is": lambda post: _is(post, value),
            "has": lambda post: _has(post, value),
        }
        return tests[name]


def handles(text: str) -> set[str]:
    """Give the handles that a text names, in lower case."""
    return {found.lower() for found in _HANDLE.findall(text)}


def _phrase(token: str, where: Callable[[Searchable], str]) -> Callable[[Searchable], bool]:
    words = _WORD.findall(token.lower())
    if not words:
        raise QueryError(f"no word in '{token}'")
    padded = f" {' '.join(words)} "
    return lambda post: padded in f" {' '.join(_WORD.findall(where(post).lower()))} "


def _is(post: Searchable, what: str) -> bool:
    return {
        "retweet": bool(post.repost_of),
        "reply": bool(post.reply_to),
        "quote": bool(post.quote_of),
        "verified": post.author.verified,
        "nullcast": False,
    }[what]


def _has(post: Searchable, what: str) -> bool:
    if what == "links":
        return "http://" in post.text or "https://" in post.text
    if what == "hashtags":
        return bool(_TAG.search(post.text))
    return what == "mentions" and bool(_HANDLE.search(post.text))
