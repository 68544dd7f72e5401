"""Storing posts as mentions: many at once, once each, edits merged.

Whatever the order in which versions of a post arrive, and however often, one mention is
left that says what the newest version says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.bulk import insert_new, update_rows, upsert
from config.db import is_sqlite
from config.errors import InputError
from listener.cleaning import AUTHOR_ID_LENGTH, fit_id, mention_columns, pack_raw
from listener.collection_models import RawPost
from listener.lookup import find_by_ids
from listener.models import Brand, Mention, MentionAlias, MentionVersion, Step
from listener.quarantine import quarantine
from listener.store_authors import store_authors
from listener.store_merge import COUNTERS, Merge, Stored
from listener.suppression import without_suppressed
from listener.types import Post, RejectedItem

#: Posts that are compared with the database at once; bounds memory and statement size.
BATCH = 1_000

#: Any number: the first key of the PostgreSQL advisory locks under which mentions are stored.
_STORE_LOCK = 715_190_118


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """What storing came to: posts that were given, that were new, edited, or refused."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    rejected: int = 0

    def __add__(self, other: StoreCounts) -> StoreCounts:
        """Return both together."""
        return StoreCounts(
            seen=self.seen + other.seen,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            rejected=self.rejected + other.rejected,
        )


def store_posts(
    session: Session,
    *,
    brand_id: int,
    platform: str,
    posts: Iterable[Post],
    source_id: int | None,
    now: datetime,
    keep_raw: bool = True,
) -> StoreCounts:
    """Store posts as mentions of a brand; what is there already changes nothing.

    A new mention waits for scoring. An edited one (the same id with another text, or a new
    id whose `earlier_ids` name a known one) keeps its row, publication time and judgement,
    keeps the old text as a version, and waits for scoring again. A post that cannot be
    stored (no time zone, beyond all length) is quarantined, and the others are stored. Posts of
    erased authors are left out, and seen all the same. Of posts about a competitor neither
    authors nor the platform's own answers are kept: nothing is to be known about people who
    never spoke about us.

    Args:
        session: The transaction.
        brand_id: Whose mentions they are.
        platform: Where the posts are from.
        posts: In any order, repeated or not.
        source_id: What found them; None for an import.
        now: The present.
        keep_raw: Whether the platform's own answers are kept too.

    """
    total = StoreCounts()
    keep_authors = session.get_one(Brand, brand_id).competitor_of_id is None
    remaining = iter(posts)
    while batch := list(islice(remaining, BATCH)):
        total += _store_batch(
            session,
            batch,
            brand_id=brand_id,
            platform=platform,
            source_id=source_id,
            now=now,
            keep_raw=keep_raw and keep_authors,
            keep_authors=keep_authors,
        )
    return total


def _store_batch(
    session: Session,
    posts: Sequence[Post],
    *,
    brand_id: int,
    platform: str,
    source_id: int | None,
    now: datetime,
    keep_raw: bool,
    keep_authors: bool,
) -> StoreCounts:
    _wait_for_other_writers(session, brand_id, platform)
    common = {
        "brand_id": brand_id,
        "source_id": source_id,
        "platform": platform,
        "fetched_at": now,
        "versions": 1,
        "fold_count": 0,
        "pending": Step.SCORE,
    }
    fitting: list[tuple[Post, dict[str, Any]]] = []
    rejected: list[RejectedItem] = []
    for found in without_suppressed(session, platform, posts):
        post = found if keep_authors else replace(found, author=None)
        try:
            fitting.append((post, common | mention_columns(post)))
        except (InputError, OverflowError) as error:
            rejected.append(
                RejectedItem(error=str(error), raw=repr(post), external_id=post.external_id)
            )
    if rejected:
        quarantine(session, rejected, source_id=source_id, now=now)
    authors = store_authors(
        session, platform, (post.author for post, _ in fitting if post.author is not None), now
    )
    merge = Merge(_find_stored(session, brand_id, platform, [post for post, _ in fitting]))
    told: dict[str, Mapping[str, Any]] = {}
    for post, row in fitting:
        row["author_id"] = (
            authors[fit_id(post.author.external_id, AUTHOR_ID_LENGTH)] if post.author else None
        )
        is_news = merge.add(row, [fit_id(earlier) for earlier in post.earlier_ids])
        if is_news and post.raw is not None:
            told[row["external_id"]] = post.raw
    new = _write(session, merge, brand_id, platform, now)
    if keep_raw and told:
        _store_raw(session, platform, told, now)
    return StoreCounts(
        seen=len(posts), new=new, changed=len(merge.edited()), rejected=len(rejected)
    )


def _wait_for_other_writers(session: Session, brand_id: int, platform: str) -> None:
    """Let one transaction at a time compare and store a brand's posts of one platform.

    Two that compare at once would each take the same edit for news. On SQLite there is one
    writer anyway.
    """
    if not is_sqlite(session):
        key = func.hashtext(f"{brand_id}/{platform}")
        session.execute(select(func.pg_advisory_xact_lock(_STORE_LOCK, key)))


def _find_stored(
    session: Session, brand_id: int, platform: str, posts: Iterable[Post]
) -> dict[str, Stored]:
    """Return what is stored under the ids, also the earlier ones, of `posts`."""
    ids = {fit_id(name) for post in posts for name in (post.external_id, *post.earlier_ids)}
    if not ids:
        return {}
    columns = (
        Mention.id,
        Mention.external_id,
        Mention.text,
        Mention.url,
        Mention.published_at,
        Mention.edited_at,
        Mention.deleted_at,
        Mention.versions,
        *(getattr(Mention, name) for name in COUNTERS),
    )
    own = select(*columns).where(Mention.brand_id == brand_id, Mention.platform == platform)
    found = {
        row["external_id"]: Stored.from_row(dict(row))
        for row in find_by_ids(session, own, Mention.external_id, ids)
    }
    aliases = (
        select(MentionAlias.external_id.label("alias"), *columns)
        .join_from(MentionAlias, Mention, Mention.id == MentionAlias.mention_id)
        .where(MentionAlias.brand_id == brand_id, MentionAlias.platform == platform)
    )
    by_id = {stored.id: stored for stored in found.values()}
    behind_alias: set[int] = set()
    for row in find_by_ids(session, aliases, MentionAlias.external_id, ids - found.keys()):
        stored = by_id.setdefault(row["id"], Stored.from_row(dict(row)))
        found[row["alias"]] = stored
        behind_alias.add(row["id"])
    if behind_alias:
        versions = select(MentionVersion.mention_id, MentionVersion.external_id).where(
            MentionVersion.mention_id.in_(behind_alias)
        )
        for mention_id, version_id in session.execute(versions):
            by_id[mention_id].version_ids.add(version_id)
    return found


def _write(session: Session, merge: Merge, brand_id: int, platform: str, now: datetime) -> int:
    """Write what the merge came to; return how many mentions are new."""
    key = ("brand_id", "platform", "external_id")
    # Oldest first, so that the highest row ids are the newest posts.
    rows = sorted(merge.new_rows(), key=lambda row: (row["published_at"], row["external_id"]))
    new = insert_new(session, Mention, rows, key=key)
    counted = [
        {"id": stored.id, **{name: stored.row[name] for name in COUNTERS}}
        for stored in merge.recounted()
    ]
    update_rows(session, Mention, sorted(counted, key=lambda row: int(row["id"])))
    edits = [stored.edit_columns(now) for stored in merge.edited()]
    update_rows(session, Mention, sorted(edits, key=lambda row: int(row["id"])))
    older = [{"id": stored.id, "versions": stored.row["versions"]} for stored in merge.backdated()]
    update_rows(session, Mention, sorted(older, key=lambda row: int(row["id"])))
    if merge.has_history():
        ids = _ids_of_new(session, merge, brand_id, platform)
        versions = merge.versions(ids, now)
        insert_new(session, MentionVersion, versions, key=("mention_id", "number"))
        aliases = [
            {
                "brand_id": brand_id,
                "platform": platform,
                "external_id": alias,
                "mention_id": mention_id,
            }
            for alias, mention_id in sorted(merge.aliases(ids))
        ]
        insert_new(session, MentionAlias, aliases, key=key)
    return new


def _ids_of_new(session: Session, merge: Merge, brand_id: int, platform: str) -> dict[str, int]:
    names = {str(row["external_id"]) for row in merge.new_rows()}
    query = select(Mention.external_id, Mention.id).where(
        Mention.brand_id == brand_id, Mention.platform == platform
    )
    found = find_by_ids(session, query, Mention.external_id, names)
    return {row["external_id"]: row["id"] for row in found}


def _store_raw(
    session: Session, platform: str, told: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    rows = [
        {
            "platform": platform,
            "external_id": external_id,
            "fetched_at": now,
            "payload": pack_raw(raw),
        }
        for external_id, raw in told.items()
    ]
    upsert(
        session,
        RawPost,
        rows,
        key=("platform", "external_id"),
        update_columns=("fetched_at", "payload"),
    )
