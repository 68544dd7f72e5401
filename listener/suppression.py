"""Accounts and posts that were erased: recognised when they come again, and not stored.

All that is kept of them is a hash keyed with `GROUNDSWELL_SECRET_KEY`; another key would not
know them any more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.bulk import insert_new
from config.settings import Settings, read_settings
from listener.cleaning import AUTHOR_ID_LENGTH, fit_id
from listener.collection_models import Suppression
from listener.types import Post


class Suppressed(StrEnum):
    """What a hash stands for."""

    AUTHOR = "author"  # platform and the account's id
    POST = "post"  # platform and the post's id


def suppress(
    session: Session, kind: Suppressed, platform: str, ids: Collection[str], now: datetime
) -> int:
    """Never store these again; return how many were new."""
    key = _key()
    rows = [
        {"value_hash": value_hash, "kind": kind.value, "created_at": now}
        for value_hash in sorted({_hash(key, kind, platform, one) for one in ids})
    ]
    return insert_new(session, Suppression, rows, key=["value_hash"])


def without_suppressed(session: Session, platform: str, posts: Sequence[Post]) -> Sequence[Post]:
    """Return the posts that may be stored: not those of erased authors, nor what repeats them."""
    if not session.scalar(select(exists().where(Suppression.value_hash.is_not(None)))):
        return posts
    key = _key()
    hashes = [frozenset(_hashes(key, platform, post)) for post in posts]
    known = set(
        session.scalars(
            select(Suppression.value_hash).where(
                any_of(session, Suppression.value_hash, sorted(set().union(*hashes)))
            )
        )
    )
    return [post for post, own in zip(posts, hashes, strict=True) if not own & known]


def _hashes(key: bytes, platform: str, post: Post) -> Iterable[str]:
    if post.author is not None:
        account = fit_id(post.author.external_id, AUTHOR_ID_LENGTH)
        yield _hash(key, Suppressed.AUTHOR, platform, account)
    for one in (post.external_id, *post.earlier_ids, post.repost_of_id):
        if one:
            yield _hash(key, Suppressed.POST, platform, fit_id(one))


def _hash(key: bytes, kind: Suppressed, platform: str, value: str) -> str:
    message = f"{kind.value}\x1f{platform}\x1f{value}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _key() -> bytes:
    return read_settings(Settings).secret_key.get_secret_value().encode()
