"""Reading Reddit's listings: submissions, comments and inbox items.

Pure. Reddit's `raw_json=1` leaves out the entities that it adds itself; those that people
type ("&#x200B;", "&amp;") are markdown, shown as characters, and are decoded here.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from listener.types import (
    AuthorProfile,
    DeletedPost,
    DeletionReason,
    Post,
    PostKind,
    RejectedItem,
)

#: Where permalinks of the API point to.
SITE = "https://www.reddit.com"
_GONE = {
    "[deleted]": DeletionReason.DELETED,
    "[removed]": DeletionReason.REMOVED,
    "[deleted by user]": DeletionReason.DELETED,
    "[ removed by moderator ]": DeletionReason.REMOVED,
    "[ removed by reddit ]": DeletionReason.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Item:
    """Where one thing of a listing stands: enough to go on from it."""

    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """What one answer held.

    Args:
        posts: The posts that were understood, in the answer's order.
        rejected: The things that were not.
        deleted: The things that are shown as deleted or removed.
        items: Everything whose place is known, in the answer's order.
        after: Where the listing goes on; None where it ends.
        size: How many things the answer had.

    """

    posts: tuple[Post, ...]
    rejected: tuple[RejectedItem, ...]
    deleted: tuple[DeletedPost, ...]
    items: tuple[Item, ...]
    after: str | None
    size: int


class _Thing(BaseModel):
    """What submissions, comments and inbox items have in common."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(pattern=r"^t[134]_[0-9a-z]+$")
    created_utc: float = Field(gt=0, allow_inf_nan=False)
    author: str | None = None
    author_fullname: str | None = None
    permalink: str | None = None
    context: str | None = None
    edited: float | bool | None = None
    score: int | None = None
    num_comments: int | None = None


class _Submission(_Thing):
    title: str
    selftext: str = ""
    is_self: bool = True
    url: str | None = None


class _Comment(_Thing):
    body: str
    link_id: str | None = None
    parent_id: str | None = None
    subject: str | None = None


def parse_listing(payload: Any) -> Listing:  # noqa: ANN401 - anything that JSON can hold
    """Return what a listing of Reddit holds.

    Raises:
        ValueError: The answer is no listing.

    """
    data = payload.get("data") if isinstance(payload, Mapping) else None
    children = data.get("children") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(children, list):
        msg = "the answer is no listing"
        raise ValueError(msg)  # noqa: TRY004 - the answer is wrong, not the caller
    posts: list[Post] = []
    rejected: list[RejectedItem] = []
    deleted: list[DeletedPost] = []
    items: list[Item] = []
    for child in children:
        try:
            read = parse_thing(child)
        except ValidationError as error:
            rejected.append(_rejected(child, _problem(error)))
            continue
        except ValueError as error:
            rejected.append(_rejected(child, str(error)))
            continue
        if isinstance(read, Post):
            posts.append(read)
        else:
            deleted.append(read)
        items.append(Item(child["data"]["name"], _moment(child["data"]["created_utc"])))
    after = data.get("after")
    return Listing(
        posts=tuple(posts),
        rejected=tuple(rejected),
        deleted=tuple(deleted),
        items=tuple(items),
        after=after if isinstance(after, str) and after else None,
        size=len(children),
    )


def parse_thing(thing: Any) -> Post | DeletedPost:  # noqa: ANN401 - anything that JSON can hold
    """Return a submission, comment or inbox item as a post, or as what is left of it.

    Raises:
        ValueError: It is none of these, or it cannot be read.

    """
    kind = thing.get("kind") if isinstance(thing, Mapping) else None
    data = thing.get("data") if isinstance(thing, Mapping) else None
    if not isinstance(data, Mapping) or kind not in {"t1", "t3", "t4"}:
        msg = f"a thing of kind {kind!r} is no post"
        raise ValueError(msg)
    if kind == "t3":
        return _submission(_Submission.model_validate(data), data)
    return _comment(_Comment.model_validate(data), data, kind)


def _submission(read: _Submission, raw: Mapping[str, Any]) -> Post | DeletedPost:
    reason = _gone(read.title) or _gone(read.selftext)
    if reason:
        return DeletedPost(read.name, reason)
    text = "\n\n".join(filter(None, (read.title.strip(), read.selftext.strip())))
    return _post(
        read,
        raw,
        text=text,
        kind=PostKind.POST,
        conversation_id=read.name,
        links=(read.url,) if read.url and not read.is_self else (),
    )


def _comment(
    read: _Comment, raw: Mapping[str, Any], kind: Literal["t1", "t4"]
) -> Post | DeletedPost:
    reason = _gone(read.body)
    if reason:
        return DeletedPost(read.name, reason)
    is_message = kind == "t4"
    thread = read.link_id or _thread_of(read.context)
    text = "\n\n".join(filter(None, (read.subject if is_message else None, read.body)))
    return _post(
        read,
        raw,
        text=text,
        kind=PostKind.POST if is_message else PostKind.COMMENT,
        conversation_id=thread,
        reply_to_id=read.parent_id,
    )


def _post(
    read: _Thing,
    raw: Mapping[str, Any],
    *,
    text: str,
    kind: PostKind,
    conversation_id: str | None,
    reply_to_id: str | None = None,
    links: tuple[str, ...] = (),
) -> Post:
    address = read.permalink or (read.context or "").partition("?")[0]
    if not address and kind is PostKind.COMMENT and conversation_id:
        # Old answers have no permalink; Reddit takes any word for the title.
        address = f"/comments/{conversation_id[3:]}/_/{read.name[3:]}/"
    edited = read.edited if isinstance(read.edited, float) and read.edited > 1 else None
    return Post(
        external_id=read.name,
        text=unicodedata.normalize("NFC", html.unescape(text)),
        published_at=_moment(read.created_utc),
        author=_author(read),
        url=SITE + address if address.startswith("/") else address or None,
        kind=kind,
        conversation_id=conversation_id,
        reply_to_id=reply_to_id,
        edited_at=_moment(edited) if edited else None,
        links=tuple(html.unescape(link) for link in links),
        likes=read.score,
        replies=read.num_comments,
        raw=dict(raw),
    )


def _author(read: _Thing) -> AuthorProfile | None:
    """Return the account; None where it was deleted, although what it wrote is still there."""
    if not read.author or read.author == "[deleted]":
        return None
    return AuthorProfile(
        external_id=read.author_fullname or read.author,
        handle=read.author,
        links=(f"{SITE}/user/{read.author}",),
    )


def _thread_of(context: str | None) -> str | None:
    """Return the submission in an address like /r/PLACE/comments/ID/TITLE/COMMENT/."""
    parts = (context or "").split("/")
    if "comments" in parts[:-1]:
        return f"t3_{parts[parts.index('comments') + 1]}"
    return None


def _gone(text: str) -> DeletionReason | None:
    return _GONE.get(text.strip().lower())


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def _rejected(child: Any, error: str) -> RejectedItem:  # noqa: ANN401 - anything
    data = child.get("data") if isinstance(child, Mapping) else None
    name = data.get("name") if isinstance(data, Mapping) else None
    return RejectedItem(
        error=error,
        raw=json.dumps(child, ensure_ascii=False),
        external_id=name if isinstance(name, str) else None,
    )


def _problem(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:3]
    )
