"""Records of posts with named columns: CSV rows and JSON objects. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from config.errors import InputError
from listener.types import AuthorProfile, Post, PostKind, RejectedItem

#: Our name of a column, and others by which it is known.
_ALIASES = {
    "external_id": ("id", "post_id", "tweet_id", "status_id", "mention_id", "comment_id", "id_str"),
    "text": ("content", "body", "message", "full_text", "comment", "review", "tweet"),
    "published_at": (
        "created_at",
        "date",
        "datetime",
        "time",
        "timestamp",
        "published",
        "posted_at",
    ),
    "author_handle": ("author", "username", "handle", "user", "screen_name", "user_name"),
    "author_name": ("name", "display_name", "full_name"),
    "author_id": ("user_id", "author_external_id"),
    "author_bio": ("bio", "description"),
    "author_location": ("user_location",),
    "author_followers": ("followers", "followers_count"),
    "author_links": (),
    "url": ("link", "permalink"),
    "platform": ("network",),
    "kind": ("type", "post_type"),
    "platform_lang": ("lang", "language"),
    "conversation_id": ("thread_id",),
    "reply_to_id": ("in_reply_to", "in_reply_to_id", "in_reply_to_status_id"),
    "repost_of_id": (),
    "edited_at": (),
    "links": (),
    "likes": ("like_count", "favorite_count", "favourites", "upvotes"),
    "reposts": ("retweets", "retweet_count", "shares", "repost_count"),
    "replies": ("reply_count", "comments", "num_comments"),
    "views": ("impressions", "view_count", "impression_count"),
}
_OURS = {alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)}

#: What a post cannot do without.
NEEDED = ("text", "published_at")

#: X's API 1.1.
_X_V1_TIME = "%a %b %d %H:%M:%S %z %Y"
_PLATFORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_UNIX = re.compile(r"\d{10}(?:\.\d+)?|\d{13}")


@dataclass(frozen=True, slots=True)
class Item:
    """A post that a file holds, and where it is from."""

    platform: str
    post: Post


def our_name(column: str) -> str | None:
    """Return our name of a column, None where it is not understood."""
    return _OURS.get(column.strip().lower().replace(" ", "_").replace("-", "_"))


def name_keys(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON record with our names for its keys; an author may be an object."""
    named: dict[str, Any] = {}
    for key, value in record.items():
        ours = our_name(str(key))
        if ours == "author_handle" and isinstance(value, Mapping):
            for inner in ("handle", "name", "id", "bio", "followers"):
                found = value.get(inner) or (value.get("username") if inner == "handle" else None)
                named.setdefault(f"author_{inner}", found)
        # Our own name wins over an alias, wherever it stands.
        elif ours is not None and value not in (None, "") and (key == ours or ours not in named):
            named[ours] = value
    if record.get("text") == "":
        # A post of a picture only; in a CSV file an empty cell says that it is missing.
        named["text"] = ""
    return {key: value for key, value in named.items() if value is not None}


def read_record(
    record: Mapping[str, Any], where: str, *, zone: ZoneInfo | None, platform: str | None
) -> Item | RejectedItem:
    """Return the post that a record with our names says, or why it says none.

    Args:
        record: Values by our names; empty ones left out.
        where: Its place in the file, for messages.
        zone: What a time without a zone means; None refuses it.
        platform: The platform, where the record does not say it.

    """
    external_id = _text(record, "external_id")
    try:
        return _item(record, external_id, zone, platform)
    except (InputError, ValueError, OverflowError) as error:
        raw = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return RejectedItem(f"{where}: {error}", raw, external_id)


def _item(
    record: Mapping[str, Any],
    external_id: str | None,
    zone: ZoneInfo | None,
    platform: str | None,
) -> Item:
    missing = [name for name in NEEDED if name not in record]
    if missing:
        msg = f"{' and '.join(missing)} missing or empty"
        raise InputError(msg)
    text = str(record["text"])
    published_at = read_time(record["published_at"], zone)
    where_from = (_text(record, "platform") or platform or "import").strip().lower()
    if not _PLATFORM.fullmatch(where_from):
        msg = "platform: use small letters, digits, - and _, at most 40 of them"
        raise InputError(msg)
    author = _author(record)
    if external_id is None:
        # The same row in two files must be one mention.
        content = f"{author and author.external_id}\n{published_at.isoformat()}\n{text}"
        external_id = "content-" + hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()
    kind = (_text(record, "kind") or "").lower()
    edited = record.get("edited_at")
    post = Post(
        external_id=external_id,
        text=text,
        published_at=published_at,
        author=author,
        url=_text(record, "url"),
        kind=PostKind(kind) if kind in set(PostKind) else PostKind.POST,
        lang=_text(record, "platform_lang"),
        conversation_id=_text(record, "conversation_id"),
        reply_to_id=_text(record, "reply_to_id"),
        repost_of_id=_text(record, "repost_of_id"),
        edited_at=read_time(edited, zone) if edited else None,
        links=_links(record.get("links")),
        likes=_count(record.get("likes")),
        reposts=_count(record.get("reposts")),
        replies=_count(record.get("replies")),
        views=_count(record.get("views")),
    )
    return Item(where_from, post)


def read_time(value: object, zone: ZoneInfo | None) -> datetime:
    """Return an aware UTC time from what files hold: ISO 8601, RFC 2822, X's, Unix seconds.

    Raises:
        InputError: It is none of these, or has no zone and `zone` is None.

    """
    text = str(value).strip()
    if _UNIX.fullmatch(text):
        seconds = float(text) / 1000 if len(text) == 13 else float(text)  # noqa: PLR2004 - milliseconds
        return datetime.fromtimestamp(seconds, UTC)
    moment = _parse_time(text)
    if moment.tzinfo is None:
        if zone is None:
            msg = (
                f"published_at: '{text[:40]}' has no time zone, so that nobody can know when it "
                "was: add one (2026-03-04T12:00:00+01:00), or say which is meant (--timezone)"
            )
            raise InputError(msg)
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _parse_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.strptime(text, _X_V1_TIME)  # noqa: DTZ007 - it has %z
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except ValueError as error:
        msg = (
            f"published_at: '{text[:40]}' is no time that is understood; "
            "write it as 2026-03-04T12:00:00Z"
        )
        raise InputError(msg) from error


def _author(record: Mapping[str, Any]) -> AuthorProfile | None:
    handle = (_text(record, "author_handle") or "").strip().lstrip("@") or None
    name = _text(record, "author_name")
    author_id = _text(record, "author_id")
    if author_id is None and handle is None and name is None:
        return None
    # A handle is no id: it can change hands. It stands for one here, marked as such, only
    # where the file has nothing better.
    stand_in = f"@{handle.lower()}" if handle else f"name:{name}"
    return AuthorProfile(
        external_id=author_id or stand_in,
        handle=handle,
        name=name,
        bio=_text(record, "author_bio"),
        location=_text(record, "author_location"),
        followers=_count(record.get("author_followers")),
        links=_links(record.get("author_links")),
    )


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    if value is None or isinstance(value, Mapping | list):
        return None
    return str(value).strip() or None


def _count(value: object) -> int | None:
    """Return a number of likes and so on; what is no number is not worth losing a post."""
    if isinstance(value, bool):
        return None
    try:
        return int(str(value).replace(",", "").strip())
    except ValueError:
        return None


def _links(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(link) for link in value) if isinstance(value, list) else ()
