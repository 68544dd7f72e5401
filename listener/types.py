"""What collectors give and what a walk over a platform needs: plain values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from listener.query import Query


class PostKind(StrEnum):
    """What a post is on its platform."""

    POST = "post"
    REPLY = "reply"
    REPOST = "repost"
    QUOTE = "quote"
    COMMENT = "comment"
    ARTICLE = "article"


class GapKind(StrEnum):
    """Why posts may be missing between two times."""

    HORIZON = "horizon"  # the platform shows no older posts
    TRUNCATED = "truncated"  # the walk stopped before it reached the last cursor
    ANCHOR_LOST = "anchor_lost"  # the post that marks where we were is gone
    DOWNTIME = "downtime"  # the platform was unreachable for longer than it looks back
    PARTIAL = "partial"  # the platform said that its answer is incomplete


class DeletionReason(StrEnum):
    """Why a post is gone from its platform."""

    DELETED = "deleted"
    REMOVED = "removed"
    PROTECTED = "protected"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AuthorProfile:
    """An account as its platform shows it.

    `external_id` is the platform's immutable id; where a platform has none (RSS), the name.
    """

    external_id: str
    handle: str | None = None
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    links: tuple[str, ...] = ()
    verified_links: tuple[str, ...] = ()
    followers: int | None = None
    is_verified: bool | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A post with its full text.

    Args:
        external_id: The platform's id, as text.
        text: The whole text, entities decoded, NFC. A repost carries the original's text.
        published_at: Aware UTC.
        earlier_ids: Ids that this post had before it was edited, oldest first (X gives an
            edited post a new id).
        lang: The platform's own guess, as an ISO 639-1 code.
        raw: The platform's own answer for this post.

    """

    external_id: str
    text: str
    published_at: datetime
    author: AuthorProfile | None = None
    url: str | None = None
    kind: PostKind = PostKind.POST
    lang: str | None = None
    conversation_id: str | None = None
    reply_to_id: str | None = None
    repost_of_id: str | None = None
    earlier_ids: tuple[str, ...] = ()
    edited_at: datetime | None = None
    links: tuple[str, ...] = ()
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None
    raw: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """One item of a page that could not be understood, kept so that nothing is lost."""

    error: str
    raw: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class GapReport:
    """A stretch of time in which posts may be missing, and why."""

    kind: GapKind
    from_at: datetime | None
    to_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class DeletedPost:
    """A post that the platform says is gone."""

    external_id: str
    reason: DeletionReason


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a platform.

    Args:
        posts: What it held.
        cursor: Where the next collection starts once this page is stored: the collector's
            own JSON. None keeps the stored one.
        gaps: What this walk found missing.
        rejected: Items that were not understood.
        deleted: Posts that are gone.
        requests: Requests that this page took.

    """

    posts: tuple[Post, ...]
    cursor: str | None
    gaps: tuple[GapReport, ...] = ()
    rejected: tuple[RejectedItem, ...] = ()
    deleted: tuple[DeletedPost, ...] = ()
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Walk:
    """What one collection asks of a collector.

    Args:
        cursor: What the last stored page left; None at the first run.
        query: The brand's query; None for sources that need none (an inbox, a feed).
        since: Older posts are not wanted (first run, bounded backfill). Aware UTC.
        until: Newer posts are not wanted. Aware UTC.
        now: The present, from the injected clock. Aware UTC.

    """

    cursor: str | None
    query: Query | None
    since: datetime
    now: datetime
    until: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
