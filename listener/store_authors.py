"""Storing authors: many at once, never forgetting what an earlier answer said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.bulk import insert_new, update_rows
from listener.cleaning import AUTHOR_ID_LENGTH, clean_or_none, clean_text, fit_count, fit_id
from listener.lookup import find_by_ids
from listener.models import Author
from listener.types import AuthorProfile

#: The columns by which linking recognises a person; followers change daily and say nothing.
_PROFILE = (
    "handle",
    "name",
    "bio",
    "location",
    "links",
    "verified_links",
    "is_verified",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    profile_hash: str
    followers: int | None
    gone_reason: str | None


def store_authors(
    session: Session, platform: str, profiles: Iterable[AuthorProfile], now: datetime
) -> dict[str, int]:
    """Insert or update the authors; return their row ids by `fit_id(external_id)`.

    A field that this answer leaves out keeps what an earlier one said. An author who is
    new or whose profile changed is due for linking.
    """
    given: dict[str, dict[str, Any]] = {}
    for profile in profiles:
        fields = _fields(profile)
        key = fit_id(profile.external_id, AUTHOR_ID_LENGTH)
        earlier = given.get(key)
        given[key] = fields if earlier is None else _merge(earlier, fields)
    if not given:
        return {}
    stored = _find(session, platform, given)
    new = [
        {
            "platform": platform,
            "external_id": key,
            **fields,
            "profile_hash": _hash(fields),
            "first_seen_at": now,
            "updated_at": now,
            "link_due_at": now,
        }
        for key, fields in sorted(given.items())
        if key not in stored
    ]
    if new:
        insert_new(session, Author, new, key=("platform", "external_id"))
    differing = {
        stored[key].id: fields
        for key, fields in given.items()
        if key in stored and _differs(stored[key], fields)
    }
    if differing:
        _update(session, differing, now)
    ids = {key: author.id for key, author in stored.items()}
    if new:
        fresh = _find(session, platform, [row["external_id"] for row in new])
        ids |= {key: author.id for key, author in fresh.items()}
    return ids


def _fields(profile: AuthorProfile) -> dict[str, Any]:
    return {
        "handle": clean_or_none(profile.handle),
        "name": clean_or_none(profile.name),
        "bio": clean_or_none(profile.bio),
        "location": clean_or_none(profile.location),
        "links": [clean_text(link) for link in profile.links],
        "verified_links": [clean_text(link) for link in profile.verified_links],
        "followers": fit_count(profile.followers),
        "is_verified": profile.is_verified,
        "created_at": _aware(profile.created_at),
    }


def _aware(moment: datetime | None) -> datetime | None:
    """Return `moment` if anybody can know when it was; the account's age is not worth a loss."""
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None


def _merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of an author, where `later` leaves out more than it changes."""
    return {
        name: earlier[name] if value is None or value == [] else value
        for name, value in later.items()
    }


def _hash(fields: Mapping[str, Any]) -> str:
    text = "\x1f".join(str(fields[name]) for name in _PROFILE)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _differs(stored: _Stored, fields: Mapping[str, Any]) -> bool:
    # Whose posts are seen again is there again.
    return (
        stored.gone_reason is not None
        or stored.profile_hash != _hash(fields)
        or _has_followers(stored, fields)
    )


def _has_followers(stored: _Stored, fields: Mapping[str, Any]) -> bool:
    """Say whether another number of followers is told."""
    followers = fields["followers"]
    return followers is not None and followers != stored.followers


def _find(session: Session, platform: str, keys: Iterable[str]) -> dict[str, _Stored]:
    columns = (
        Author.external_id,
        Author.id,
        Author.profile_hash,
        Author.followers,
        Author.gone_reason,
    )
    query = select(*columns).where(Author.platform == platform)
    return {
        row["external_id"]: _Stored(
            row["id"], row["profile_hash"], row["followers"], row["gone_reason"]
        )
        for row in find_by_ids(session, query, Author.external_id, set(keys))
    }


def _update(session: Session, differing: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    columns: Sequence[str] = (*_PROFILE, "followers")
    rows = []
    # Held, and in one order: whoever marks an author as due in between must not be undone.
    known = session.execute(
        select(
            Author.id,
            Author.profile_hash,
            Author.link_due_at,
            Author.gone_reason,
            *(getattr(Author, name) for name in columns),
        )
        .where(Author.id.in_(sorted(differing)))
        .order_by(Author.id)
        .with_for_update(key_share=True)
    ).mappings()
    for before in known:
        merged = _merge({name: before[name] for name in columns}, differing[before["id"]])
        profile_hash = _hash(merged)
        is_changed = profile_hash != before["profile_hash"] or before["gone_reason"] is not None
        if not is_changed and merged["followers"] == before["followers"]:
            continue
        rows.append(
            {
                "id": before["id"],
                **merged,
                "profile_hash": profile_hash,
                "updated_at": now,
                "gone_reason": None,
                "link_due_at": now if is_changed else before["link_due_at"],
            }
        )
    update_rows(session, Author, sorted(rows, key=lambda row: int(row["id"])))
