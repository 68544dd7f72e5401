"""X's answers as files hold them: pages, single posts, flattened posts (twarc). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listener.x_api.payload_v1 import is_v1

#: Keys of an answer of API v2, of which a post of another kind has none.
_PAGE_KEYS = frozenset({"data", "includes", "errors", "meta", "matching_rules", "__twarc"})

#: Keys that only X's own post objects have.
_POST_KEYS = frozenset(
    {
        "edit_history_tweet_ids",
        "edit_history_post_ids",
        "public_metrics",
        "referenced_tweets",
        "referenced_posts",
    }
)


def is_x(record: object) -> bool:
    """Say whether a JSON value is an answer of X: a page of API v2, or one of API 1.1."""
    if is_v1(record):
        return True
    return isinstance(record, Mapping) and "text" not in record and bool(_PAGE_KEYS & set(record))


def is_flattened(record: object) -> bool:
    """Say whether a JSON value is one post of API v2 by itself, as `twarc2 flatten` writes it."""
    return (
        isinstance(record, Mapping)
        and "id" in record
        and "text" in record
        and "user" not in record
        and bool(_POST_KEYS & set(record))
    )


def flattened_to_page(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flattened post as the page that it was taken from."""
    users: list[Mapping[str, Any]] = []
    posts: list[Mapping[str, Any]] = []
    _take_user(record, users)
    for name in ("referenced_tweets", "referenced_posts"):
        for other in record.get(name) or ():
            if isinstance(other, Mapping) and "text" in other:
                posts.append({key: value for key, value in other.items() if key != "type"})
                _take_user(other, users)
    return {"data": [record], "includes": {"users": users, "tweets": posts}}


def _take_user(post: Mapping[str, Any], users: list[Mapping[str, Any]]) -> None:
    author = post.get("author")
    if isinstance(author, Mapping) and "id" in author:
        users.append(author)
