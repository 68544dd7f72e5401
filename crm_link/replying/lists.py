"""Replies as people see them: of mentions, of what waits, of accounts that fail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from config.errors import NotFoundError
from crm_link.replying.models import LIVE, Reply, ReplyState
from listener.models import Mention
from listener.replier import OF_ACCOUNT, Refusal

#: Rows that a number at a menu's entry counts at most.
COUNT_LIMIT = 1_000

#: What stays as it is until somebody decides.
NEEDS_A_PERSON = or_(
    Reply.state == ReplyState.FAILED,
    and_(Reply.state == ReplyState.IN_DOUBT, Reply.next_attempt_at.is_(None)),
)


@dataclass(frozen=True, slots=True)
class RepliesPage:
    """Some replies, and the id that the next ones begin after; None at the end."""

    replies: Sequence[Reply]
    after: int | None


@dataclass(frozen=True, slots=True)
class FailingAccount:
    """An account in whose name nothing can be posted.

    Args:
        platform: Where.
        account: Its name in the settings, empty where there is one only.
        refusal: What is wrong.
        said: What helps, in words.
        replies: How many replies wait for it.
        since: When the first of them was approved.

    """

    platform: str
    account: str
    refusal: Refusal
    said: str
    replies: int
    since: datetime | None


def live_replies(session: Session, mention_ids: Collection[int]) -> dict[int, Reply]:
    """Return the replies that are on their way, by mention."""
    found = session.scalars(
        select(Reply).where(
            any_of(session, Reply.mention_id, list(mention_ids)), Reply.state.in_(LIVE)
        )
    )
    return {reply.mention_id: reply for reply in found}


def replies_of(session: Session, mention_id: int) -> Sequence[Reply]:
    """Return all replies to a mention, the newest first."""
    return session.scalars(
        select(Reply).where(Reply.mention_id == mention_id).order_by(Reply.id.desc())
    ).all()


def get_reply(session: Session, reply_id: int) -> Reply:
    """Return a reply with its mention, author and brand.

    Raises:
        NotFoundError: There is none.

    """
    reply = session.scalar(
        select(Reply)
        .where(Reply.id == reply_id)
        .options(
            joinedload(Reply.mention).joinedload(Mention.author),
            joinedload(Reply.mention).joinedload(Mention.brand),
        )
    )
    if reply is None:
        raise NotFoundError("there is no reply %(reply_id)s", reply_id=reply_id)
    return reply


def list_replies(
    session: Session, states: Collection[ReplyState] = (), *, after: int = 0, limit: int = 50
) -> RepliesPage:
    """Return replies in some states (none: in any), those that wait longest first."""
    query = (
        select(Reply)
        .where(Reply.id > after)
        .options(
            joinedload(Reply.mention).joinedload(Mention.author),
            joinedload(Reply.mention).joinedload(Mention.brand),
        )
        .order_by(Reply.id)
        .limit(limit + 1)
    )
    if states:
        query = query.where(Reply.state.in_(states))
    found = session.scalars(query).all()
    return RepliesPage(found[:limit], found[limit - 1].id if len(found) > limit else None)


def newest_over(session: Session, *, limit: int = 20) -> Sequence[Reply]:
    """Return what was posted, rehearsed or cancelled last."""
    return session.scalars(
        select(Reply)
        .where(Reply.state.not_in(LIVE))
        .options(
            joinedload(Reply.mention).joinedload(Mention.author),
            joinedload(Reply.mention).joinedload(Mention.brand),
        )
        .order_by(Reply.id.desc())
        .limit(limit)
    ).all()


def count_to_do(session: Session, who: str, *, approves: bool) -> int:
    """Return how many replies wait for this person: to approve, or to decide about."""
    conditions: list[ColumnElement[bool]] = [
        and_(Reply.state == ReplyState.SENT_BACK, Reply.written_by == who),
        NEEDS_A_PERSON,
    ]
    if approves:
        conditions.append(Reply.state == ReplyState.WAITING)
    found = select(Reply.id).where(Reply.state.in_(LIVE), or_(*conditions)).limit(COUNT_LIMIT)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def failing_accounts(session: Session) -> list[FailingAccount]:
    """Return the accounts that were refused at their last reply."""
    rows = session.execute(
        select(
            Reply.platform,
            Reply.account,
            Reply.refusal,
            func.max(Reply.last_error),
            func.count(),
            func.min(Reply.approved_at),
        )
        .where(Reply.state == ReplyState.APPROVED, Reply.refusal.in_(OF_ACCOUNT))
        .group_by(Reply.platform, Reply.account, Reply.refusal)
        .order_by(Reply.platform, Reply.account)
    )
    return [
        FailingAccount(platform, account, refusal or Refusal.OTHER, said or "", number, since)
        for platform, account, refusal, said, number, since in rows
    ]
