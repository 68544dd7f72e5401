"""Answers of X's API 1.1, written as answers of API v2 so that one reader reads both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def is_v1(payload: Any) -> bool:  # noqa: ANN401 - anything that JSON can hold
    """Say whether a payload is a status, a list of statuses or a search of API 1.1."""
    if isinstance(payload, list):
        return any(map(_is_status, payload))
    if isinstance(payload, Mapping):
        return isinstance(payload.get("statuses"), list) or _is_status(payload)
    return False


def as_v2(payload: Any) -> Json:  # noqa: ANN401 - anything that JSON can hold
    """Return the statuses of a payload as a page of API v2."""
    found = isinstance(payload, Mapping)
    statuses = payload.get("statuses", [payload]) if found else payload
    users: list[Json] = []
    originals: list[Json] = []
    data = [_post(status, users, originals) for status in statuses]
    return {"data": data, "includes": {"users": users, "tweets": originals}}


def _is_status(item: Any) -> bool:  # noqa: ANN401 - anything that JSON can hold
    return isinstance(item, Mapping) and "user" in item and bool({"text", "full_text"} & set(item))


def _post(status: Any, users: list[Json], originals: list[Json]) -> Any:  # noqa: ANN401 - anything
    """Return a status as a v2 post; what is none stays what it is, to be rejected."""
    if not isinstance(status, Mapping):
        return status
    extended = _object(status.get("extended_tweet"))
    references = [
        {"type": kind, "id": str(status[name])}
        for kind, name in (
            ("quoted", "quoted_status_id_str"),
            ("replied_to", "in_reply_to_status_id_str"),
        )
        if status.get(name)
    ]
    repeated = status.get("retweeted_status")
    if isinstance(repeated, Mapping):
        original = _post(repeated, users, originals)
        originals.append(original)
        references.insert(0, {"type": "retweeted", "id": str(original.get("id"))})
    user = _object(status.get("user"))
    if user:
        users.append(_user(user))
    return {
        "id": status.get("id_str") or status.get("id"),
        "text": extended.get("full_text") or status.get("full_text") or status.get("text"),
        "created_at": status.get("created_at"),
        "author_id": user.get("id_str") or user.get("id"),
        "lang": status.get("lang"),
        "entities": {
            "urls": _object(extended.get("entities") or status.get("entities")).get("urls")
        },
        "referenced_tweets": references,
        "public_metrics": {
            "like_count": status.get("favorite_count"),
            "retweet_count": status.get("retweet_count"),
            "reply_count": status.get("reply_count"),
        },
        "v1_status": status,
    }


def _user(user: Mapping[str, Any]) -> Json:
    return {
        "id": user.get("id_str") or user.get("id"),
        "username": user.get("screen_name"),
        "name": user.get("name"),
        "description": user.get("description"),
        "location": user.get("location"),
        "url": user.get("url"),
        "entities": user.get("entities"),
        "public_metrics": {"followers_count": user.get("followers_count")},
        "verified": user.get("verified"),
        "created_at": user.get("created_at"),
    }


def _object(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - anything that JSON can hold
    return value if isinstance(value, Mapping) else {}
