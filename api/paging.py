"""Cursors: opaque to clients, so that what they rest on may change."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field

from config.clock import to_utc
from config.errors import InputError
from config.phrases import phrase
from crm_link.flags.queue import QueueKey
from crm_link.mention_walk import MentionKey
from crm_link.review_cases import CaseKey

ItemT = TypeVar("ItemT")

#: Items of one page, at most.
MAX_LIMIT = 200

LimitQuery = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items in one page.")]
CursorQuery = Annotated[
    str, Query(max_length=500, description="`next_cursor` of the page before; empty: the first.")
]


class Page(BaseModel, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next_cursor: str | None = Field(description="Give it as `cursor` for more; null at the end.")


def encode_cursor(*parts: object) -> str:
    """Return the cursor of a place that these values name."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_id(cursor: str) -> int | None:
    """Return the id that a cursor names, None for the first page."""
    return _read(cursor, [int])[0] if cursor else None


def queue_cursor(key: QueueKey | None) -> str | None:
    """Return the cursor of a place in the queue."""
    return encode_cursor(key.due_at, key.rank, key.mention_id) if key else None


def queue_key(cursor: str) -> QueueKey | None:
    """Return the place in the queue that a cursor names, None for the first page."""
    return QueueKey(*_read(cursor, [datetime, int, int])) if cursor else None


def mention_cursor(key: MentionKey | None) -> str | None:
    """Return the cursor of a place in a list of mentions."""
    return encode_cursor(key.published_at, key.mention_id) if key else None


def mention_key(cursor: str) -> MentionKey | None:
    """Return the place in a list of mentions that a cursor names, None for the first page."""
    return MentionKey(*_read(cursor, [datetime, int])) if cursor else None


def case_cursor(key: CaseKey | None) -> str | None:
    """Return the cursor of a place in the review of links."""
    return encode_cursor(*key) if key else None


def case_key(cursor: str) -> CaseKey | None:
    """Return the place in the review of links that a cursor names, None for the first page."""
    return CaseKey(*_read(cursor, [float, int])) if cursor else None


def _read(cursor: str, kinds: Sequence[type]) -> list[Any]:
    msg = phrase("this cursor is not one of ours; begin again without it")
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [
            to_utc(datetime.fromisoformat(part)) if kind is datetime else part
            for kind, part in zip(kinds, parts, strict=True)
        ]
    except (binascii.Error, ValueError, TypeError, InputError) as error:
        raise InputError(msg) from error
    if not all(
        isinstance(value, kind) and value is not True and value is not False
        for kind, value in zip(kinds, values, strict=True)
    ):
        raise InputError(msg)
    return values
