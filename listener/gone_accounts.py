"""Accounts that their platform shows no more: deleted, protected, suspended.

Platforms' terms ask that what was public is then removed (X: as soon as reasonably possible, or
within 24 hours of a request). The posts become tombstones, the profile is emptied but for
handle and id, and linking lets go of the account at its next look, some seconds later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.any_of import any_of
from listener.cleaning import AUTHOR_ID_LENGTH, fit_id
from listener.gaps import mark_deleted
from listener.models import Author, Mention
from listener.types import DeletedPost, DeletionReason


def mark_accounts_gone(
    session: Session, platform: str, gone: Mapping[str, DeletionReason], now: datetime
) -> tuple[int, int]:
    """Empty what is stored of accounts; return how many accounts and posts that were.

    An account whose posts are seen again later is there again.

    Args:
        session: The transaction.
        platform: Whose accounts they are.
        gone: Why each is gone, by the platform's id.
        now: The present.

    """
    reasons = {fit_id(name, AUTHOR_ID_LENGTH): reason for name, reason in gone.items()}
    known = session.execute(
        select(Author.id, Author.external_id)
        .where(Author.platform == platform, any_of(session, Author.external_id, reasons))
        .order_by(Author.id)
        .with_for_update(key_share=True)
    ).all()
    posts: dict[int, list[DeletedPost]] = defaultdict(list)
    why = {row.id: reasons[row.external_id] for row in known}
    for brand_id, external_id, author_id in session.execute(
        select(Mention.brand_id, Mention.external_id, Mention.author_id).where(
            any_of(session, Mention.author_id, why), Mention.deleted_at.is_(None)
        )
    ):
        posts[brand_id].append(DeletedPost(external_id, why[author_id]))
    emptied = sum(
        mark_deleted(session, brand_id, platform, found, now)
        for brand_id, found in sorted(posts.items())
    )
    for row in known:
        session.execute(
            update(Author)
            .where(Author.id == row.id)
            .values(
                gone_reason=why[row.id].value,
                name=None,
                bio=None,
                location=None,
                links=[],
                verified_links=[],
                followers=None,
                profile_hash="",
                updated_at=now,
                link_due_at=now,
            )
        )
    return len(known), emptied


def mark_posts_gone(
    session: Session, platform: str, posts: Collection[DeletedPost], now: datetime
) -> int:
    """Leave tombstones of posts, whichever brands they are about; return how many mentions."""
    names = {fit_id(post.external_id) for post in posts}
    brand_ids = session.scalars(
        select(Mention.brand_id)
        .where(Mention.platform == platform, any_of(session, Mention.external_id, names))
        .distinct()
        .order_by(Mention.brand_id)
    ).all()
    return sum(
        mark_deleted(session, brand_id, platform, list(posts), now) for brand_id in brand_ids
    )
