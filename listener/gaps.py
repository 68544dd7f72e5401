"""What is missing and what is gone: gaps until they are read again, tombstones for deletions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from listener.cleaning import fit_id
from listener.collection_models import RawPost
from listener.lookup import find_by_ids
from listener.models import JUDGING, Author, Gap, Mention, MentionAlias, MentionVersion, Step
from listener.plan import Plan, drop_cursor
from listener.types import DeletedPost, DeletionReason, GapReport


def record_gaps(
    session: Session, source_id: int, reports: Sequence[GapReport], now: datetime
) -> int:
    """Keep what a walk found missing; return how many gaps are new.

    A walk that is read twice reports the same gap twice, and it is kept once.
    """
    new = 0
    for report in reports:
        known = session.scalar(
            select(Gap.id)
            .where(
                Gap.source_id == source_id,
                Gap.kind == report.kind,
                Gap.from_at.is_not_distinct_from(report.from_at),
                Gap.to_at.is_not_distinct_from(report.to_at),
                Gap.filled_at.is_(None),
            )
            .limit(1)
        )
        if known is None:
            session.add(
                Gap(
                    source_id=source_id,
                    kind=report.kind,
                    from_at=report.from_at,
                    to_at=report.to_at,
                    detail=report.detail,
                    found_at=now,
                )
            )
            session.flush()
            new += 1
    return new


def close_gaps(session: Session, plan: Plan, reported: int, now: datetime) -> int:
    """Close the gaps that a finished backfill has read again; return how many.

    Args:
        session: The transaction.
        plan: The collection that is done.
        reported: How many gaps it reported itself; then it has not read everything.
        now: The present.

    """
    if not plan.is_backfill:
        return 0
    drop_cursor(session, plan)
    if reported:
        return 0
    read_until = plan.walk.until or plan.walk.now
    covered = session.scalars(
        select(Gap.id).where(
            Gap.source_id == plan.source_id,
            Gap.filled_at.is_(None),
            Gap.from_at >= plan.walk.since,
            func.coalesce(Gap.to_at, Gap.found_at) <= read_until,
        )
    ).all()
    if covered:
        session.execute(update(Gap).where(Gap.id.in_(covered)).values(filled_at=now))
    return len(covered)


def mark_deleted(
    session: Session,
    brand_id: int,
    platform: str,
    deleted: Sequence[DeletedPost],
    now: datetime,
) -> int:
    """Leave a tombstone of posts that are gone; return how many mentions that were.

    Text, links, older versions and the platform's answer go. Judgement and time stay, so
    that counts of the past do not change: what waits to be judged again is not, as nothing
    would be judged.
    """
    if not deleted:
        return 0
    gone = {fit_id(post.external_id) for post in deleted}
    own = select(Mention.id).where(Mention.brand_id == brand_id, Mention.platform == platform)
    behind_alias = select(MentionAlias.mention_id.label("id")).where(
        MentionAlias.brand_id == brand_id, MentionAlias.platform == platform
    )
    found = (
        *find_by_ids(session, own, Mention.external_id, gone),
        *find_by_ids(session, behind_alias, MentionAlias.external_id, gone),
    )
    ids = {int(row["id"]) for row in found}
    if not ids:
        return 0
    _wake_authors(session, ids, now)
    _note_accounts(session, platform, deleted, ids)
    known_as = select(MentionAlias.external_id).where(MentionAlias.mention_id.in_(ids))
    named = select(Mention.external_id).where(Mention.id.in_(ids))
    names = [*session.scalars(known_as), *session.scalars(named)]
    session.execute(
        update(Mention)
        .where(Mention.id.in_(ids), Mention.deleted_at.is_(None))
        .values(
            deleted_at=now,
            text="",
            links=[],
            pending=case(
                (Mention.label.is_not(None) & (Mention.pending == Step.SCORE), Step.LINK),
                (Mention.pending.in_(JUDGING), None),
                else_=Mention.pending,
            ),
        )
    )
    session.execute(delete(MentionVersion).where(MentionVersion.mention_id.in_(ids)))
    session.execute(
        delete(RawPost).where(RawPost.platform == platform, RawPost.external_id.in_(names))
    )
    return len(ids)


def _note_accounts(
    session: Session, platform: str, deleted: Sequence[DeletedPost], mention_ids: Collection[int]
) -> None:
    """Keep why an account is shown no more, where its post is gone for that."""
    for reason in (DeletionReason.PROTECTED, DeletionReason.SUSPENDED):
        names = [fit_id(post.external_id) for post in deleted if post.reason is reason]
        if names:
            wrote = select(Mention.author_id).where(
                Mention.id.in_(mention_ids),
                Mention.platform == platform,
                Mention.external_id.in_(names),
                Mention.author_id.is_not(None),
            )
            session.execute(
                update(Author).where(Author.id.in_(wrote)).values(gone_reason=reason.value)
            )


def _wake_authors(session: Session, mention_ids: Collection[int], now: datetime) -> None:
    """Let linking look again at who wrote these: what they showed there is no evidence any more.

    Before the mentions are changed, as linking locks authors first too.
    """
    wrote = select(Mention.author_id).where(
        Mention.id.in_(mention_ids), Mention.author_id.is_not(None), Mention.deleted_at.is_(None)
    )
    author_ids = session.scalars(
        select(Author.id)
        .where(Author.id.in_(wrote))
        .order_by(Author.id)
        .with_for_update(key_share=True)
    ).all()
    session.execute(update(Author).where(Author.id.in_(author_ids)).values(link_due_at=now))
