"""Reading X's answers: pages of API v2, lines of its streams, and pages of API 1.1.

Pure. Used by the collector and by the import of saved answers (as twarc writes them). One
item that cannot be read becomes a `RejectedItem`; the others of the page stay.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from config.phrases import nphrase
from listener.types import (
    GapKind,
    GapReport,
    Post,
    PostKind,
    RejectedItem,
)
from listener.x_api.authors import links_of, profile
from listener.x_api.models import XPost, time_of
from listener.x_api.payload_v1 import as_v2, is_v1

#: Codes that X gives where it found no language: only media, links, tags, ...
_NO_LANG = {"und", "zxx", "qme", "qht", "qam", "qct", "qst", "art"}
#: Old codes that X still uses.
_LANGS = {"in": "id", "iw": "he", "ji": "yi"}
#: Links that X adds to a text for its own pictures and films.
_MEDIA_LINK = re.compile(r"/status/\d+/(?:photo|video)/\d+/?$")
_REPOSTED = ("retweeted", "reposted")
#: Things that posts show or name; that one of them cannot be given takes nothing from a post.
_SIDE_RESOURCES = {"user", "media", "place", "poll", "list", "space"}


@dataclass(frozen=True, slots=True)
class XPage:
    """What one answer held.

    Args:
        posts: The posts that were understood, in the answer's order.
        rejected: The items that were not.
        gaps: One report, where X says that it could not give everything.
        newest_id: The highest id of the answer.
        next_token: Where the answer goes on; None where it is the last one.

    """

    posts: tuple[Post, ...]
    rejected: tuple[RejectedItem, ...] = ()
    gaps: tuple[GapReport, ...] = ()
    newest_id: int | None = None
    next_token: str | None = None


def parse_page(payload: Any) -> XPage:  # noqa: ANN401 - anything that JSON can hold
    """Return what an answer of X holds, API v2 in either naming or API 1.1."""
    if is_v1(payload):
        payload = as_v2(payload)
    if not isinstance(payload, Mapping):
        return XPage((), rejected=(_rejected(payload, "this is no answer of X"),))
    items = payload.get("data")
    if items is None:
        items = []
    if not isinstance(items, list):
        items = [items]
    includes = _Includes.of(payload.get("includes"))
    posts: list[Post] = []
    rejected: list[RejectedItem] = []
    for item in items:
        try:
            posts.append(_post(item, includes))
        except ValidationError as error:
            rejected.append(_rejected(item, _problem(error)))
        except ValueError as error:
            rejected.append(_rejected(item, str(error)))
    meta = payload.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    ids = [int(post.external_id) for post in posts]
    newest = str(meta.get("newest_id") or "")
    if newest.isdecimal():
        ids.append(int(newest))
    token = meta.get("next_token")
    return XPage(
        posts=tuple(posts),
        rejected=tuple(rejected),
        gaps=_partial(payload.get("errors"), items, posts, includes),
        newest_id=max(ids, default=None),
        next_token=str(token) if token else None,
    )


@dataclass(frozen=True, slots=True)
class _Includes:
    """What an answer gives beside its posts, by id."""

    users: dict[str, Mapping[str, Any]]
    posts: dict[str, Mapping[str, Any]]

    @classmethod
    def of(cls, includes: Any) -> _Includes:  # noqa: ANN401 - anything that JSON can hold
        given = includes if isinstance(includes, Mapping) else {}
        return cls(
            users=_by_id(given.get("users")),
            posts=_by_id(given.get("tweets")) | _by_id(given.get("posts")),
        )


def _by_id(values: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 - anything
    if not isinstance(values, list):
        return {}
    return {
        str(value["id"]): value
        for value in values
        if isinstance(value, Mapping) and value.get("id") is not None
    }


def _post(item: Any, includes: _Includes) -> Post:  # noqa: ANN401 - anything
    if not isinstance(item, Mapping):
        msg = "the item is no object"
        raise ValueError(msg)  # noqa: TRY004 - it becomes a RejectedItem
    read = XPost.model_validate(item)
    author = profile(read.author_id, includes.users)
    original = _original(read, includes)
    source = original or read
    published_at, edited_at = _times(read)
    metrics = read.public_metrics
    handle = author.handle if author and author.handle else "i"
    return Post(
        external_id=read.id,
        text=_full_text(source),
        published_at=published_at,
        author=author,
        url=f"https://x.com/{handle}/status/{read.id}",
        kind=_kind(read),
        lang=_lang(read.lang),
        conversation_id=read.conversation_id,
        reply_to_id=read.reference("replied_to"),
        repost_of_id=read.reference(*_REPOSTED),
        earlier_ids=_earlier_ids(read),
        edited_at=edited_at,
        links=links_of(source.note.entities if source.note else None, source.entities),
        likes=metrics.like_count if metrics else None,
        reposts=metrics.retweet_count if metrics else None,
        replies=metrics.reply_count if metrics else None,
        views=metrics.impression_count if metrics else None,
        raw=_raw(item, read, includes),
    )


def _original(read: XPost, includes: _Includes) -> XPost | None:
    """Return the post that this one repeats: its own `text` is cut at 140 characters."""
    given = includes.posts.get(read.reference(*_REPOSTED) or "")
    if given is None:
        return None
    try:
        return XPost.model_validate(given)
    except ValidationError:
        return None


def _full_text(read: XPost) -> str:
    """Return the text as X shows it, entities decoded; the links behind t.co are in `links`."""
    text = read.note.text if read.note else read.text
    return unicodedata.normalize("NFC", html.unescape(text))


def _times(read: XPost) -> tuple[datetime, datetime | None]:
    """Return when the post was first published, and when this version was written."""
    written_at = read.created_at or time_of(int(read.id))
    if written_at is None:
        msg = "created_at is missing, and the id is too old to tell the time"
        raise ValueError(msg)
    earlier = _earlier_ids(read)
    if not earlier:
        return written_at, None
    first = time_of(int(earlier[0]))
    return (first.replace(microsecond=0) if first else written_at), written_at


def _earlier_ids(read: XPost) -> tuple[str, ...]:
    """Return the ids of older versions. X lists the newer ones too."""
    own = int(read.id)
    return tuple(
        str(number) for number in sorted({int(one) for one in read.history}) if number < own
    )


def _kind(read: XPost) -> PostKind:
    if read.reference(*_REPOSTED):
        return PostKind.REPOST
    if read.reference("replied_to"):
        return PostKind.REPLY
    return PostKind.QUOTE if read.reference("quoted") else PostKind.POST


def _lang(code: str | None) -> str | None:
    if not code or code in _NO_LANG:
        return None
    main = code.partition("-")[0].lower()
    return _LANGS.get(main, main)


def _raw(item: Mapping[str, Any], read: XPost, includes: _Includes) -> Mapping[str, Any]:
    """Return what X said about one post: with its author, and the posts that it refers to."""
    if "v1_status" in item:
        status: Mapping[str, Any] = item["v1_status"]
        return status
    users = [includes.users[read.author_id]] if read.author_id in includes.users else []
    others = [includes.posts[one.id] for one in read.references if one.id in includes.posts]
    return {"data": dict(item), "includes": {"users": users, "tweets": others}}


def _partial(
    errors: Any,  # noqa: ANN401 - anything that JSON can hold
    items: Sequence[Any],
    posts: Sequence[Post],
    includes: _Includes,
) -> tuple[GapReport, ...]:
    """Report errors that may have cost a post or a part of its text.

    That a post to which somebody replied is deleted or protected costs nothing: the reply
    is there. X says so on nearly every page.
    """
    if not isinstance(errors, list):
        return ()
    harmless = _ids_needed_for_context(items)
    serious = [
        error
        for error in errors
        if not isinstance(error, Mapping)
        or not (
            error.get("resource_type") in _SIDE_RESOURCES
            or str(error.get("resource_id") or error.get("value")) in harmless | set(includes.posts)
        )
    ]
    if not serious:
        return ()
    titles = {str(one.get("title") or "error") for one in serious if isinstance(one, Mapping)}
    times = [post.published_at for post in posts]
    detail = nphrase(
        "X could not give %(num)s thing of a page: %(titles)s",
        "X could not give %(num)s things of a page: %(titles)s",
        len(serious),
        titles=", ".join(sorted(titles)),
    )
    return (GapReport(GapKind.PARTIAL, min(times, default=None), max(times, default=None), detail),)


def _ids_needed_for_context(items: Sequence[Any]) -> set[str]:
    """Return the ids of posts that are replied to or quoted on a page."""
    found: set[str] = set()
    for item in items:
        references: Any = (
            item.get("referenced_tweets") or item.get("referenced_posts")
            if isinstance(item, Mapping)
            else None
        )
        for one in references if isinstance(references, list) else ():
            if isinstance(one, Mapping) and one.get("type") not in _REPOSTED:
                found.add(str(one.get("id")))
    return found


def _rejected(item: Any, error: str) -> RejectedItem:  # noqa: ANN401 - anything
    number = item.get("id") if isinstance(item, Mapping) else None
    return RejectedItem(
        error=error,
        raw=json.dumps(item, ensure_ascii=False),
        external_id=str(number) if isinstance(number, str | int) else None,
    )


def _problem(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:3]
    )
