"""Making what platforms and files say fit to be stored, without changing what it means."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from config.clock import to_utc
from config.errors import InputError
from listener.types import Post

#: PostgreSQL stores no NUL, and neither database stores half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

#: Characters of a platform's id that are stored; see `listener.models`.
MENTION_ID_LENGTH = 300
AUTHOR_ID_LENGTH = 200

#: Characters of a post that are stored. A longer one is a mistake of its platform, and is
#: quarantined whole.
MAX_TEXT_LENGTH = 2_000_000

#: What a 64-bit column holds.
_MAX_COUNT = 2**63 - 1

#: zlib's fastest level: half the time of its default for a tenth more bytes on posts.
_LEVEL = 1


def clean_text(text: str) -> str:
    """Return `text` without the characters that no database stores."""
    return _UNSTORABLE.sub("", text) if _UNSTORABLE.search(text) else text


def clean_or_none(text: str | None) -> str | None:
    """Return `text` cleaned, None where nothing is left of it."""
    return (clean_text(text) or None) if text else None


def fit_id(external_id: str, length: int = MENTION_ID_LENGTH) -> str:
    """Return an id that fits its column: a longer one ends in its own hash."""
    cleaned = clean_text(external_id)
    if len(cleaned) <= length:
        return cleaned
    digest = hashlib.sha256(cleaned.encode()).hexdigest()
    return f"{cleaned[: length - len(digest) - 1]}#{digest}"


def fit_id_or_none(external_id: str | None) -> str | None:
    """Return an id that fits its column, None where there is none."""
    return fit_id(external_id) if external_id else None


def fit_count(count: int | None) -> int | None:
    """Return a count that fits a 64-bit column, None where it cannot be true."""
    return count if count is not None and 0 <= count <= _MAX_COUNT else None


def pack_raw(raw: Mapping[str, Any]) -> bytes:
    """Return a platform's answer as compressed JSON."""
    return zlib.compress(_to_json(raw), _LEVEL)


def unpack_raw(payload: bytes) -> dict[str, Any]:
    """Return what `pack_raw` packed."""
    unpacked: dict[str, Any] = orjson.loads(zlib.decompress(payload))
    return unpacked


def mention_columns(post: Post) -> dict[str, Any]:
    """Return the columns of a mention that a post fills.

    Raises:
        InputError: The post cannot be stored; the message says why.

    """
    if len(post.text) > MAX_TEXT_LENGTH:
        msg = f"the text has {len(post.text):,} characters; at most {MAX_TEXT_LENGTH:,} are stored"
        raise InputError(msg)
    if not post.external_id:
        msg = "the post has no id, so that it could not be told from others"
        raise InputError(msg)
    lang = clean_or_none(post.lang)
    return {
        "external_id": fit_id(post.external_id),
        "kind": post.kind,
        "url": clean_or_none(post.url),
        "text": clean_text(post.text),
        "platform_lang": lang if lang is None or len(lang) <= 20 else None,  # noqa: PLR2004 - the column's length
        "conversation_id": fit_id_or_none(post.conversation_id),
        "reply_to_id": fit_id_or_none(post.reply_to_id),
        "repost_of_id": fit_id_or_none(post.repost_of_id),
        "links": [clean_text(link) for link in post.links],
        "likes": fit_count(post.likes),
        "reposts": fit_count(post.reposts),
        "replies": fit_count(post.replies),
        "views": fit_count(post.views),
        "published_at": to_utc(post.published_at),
        "edited_at": to_utc(post.edited_at) if post.edited_at else None,
    }


def _to_json(raw: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(raw, default=str)
    except TypeError:
        # Numbers beyond 64 bits, keys that are no text, halves of surrogate pairs.
        return orjson.dumps(_plain(raw))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {clean_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= _MAX_COUNT:
        return value
    return clean_text(str(value))
