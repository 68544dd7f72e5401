"""The review queue: flagged mentions in the order of urgency, worked off by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload

from config.clock import Clock, utc_now
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.enrich import queue_people
from crm_link.models import Flag, FlagStatus
from listener.models import Brand, Mention
from listener.search import text_contains

#: Open flags are counted up to here; a person does not need to know more exactly.
COUNT_LIMIT = 1000

#: Literal, because the databases match a partial index with a constant only.
_IS_OPEN = Flag.status == literal_column("'open'")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is wanted; empty means all."""

    brand: str = ""
    platform: str = ""
    priority: str = ""
    label: str = ""
    lang: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class QueueKey:
    """A place in the queue: what comes after it is less urgent, or older."""

    urgency: int
    published_at: datetime
    mention_id: int


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some flags, and where the next ones begin; None at the end."""

    flags: tuple[Flag, ...]
    after: QueueKey | None


def open_flags(
    session: Session, wanted: QueueFilter, *, after: QueueKey | None = None, limit: int = 25
) -> QueuePage:
    """Return the most urgent open flags after a place, with mention, author and brand."""
    query = _filtered(
        session,
        select(Flag)
        .join(Flag.mention)
        .options(
            contains_eager(Flag.mention).joinedload(Mention.author),
            contains_eager(Flag.mention).joinedload(Mention.brand),
        ),
        wanted,
    )
    if after is not None:
        query = query.where(
            tuple_(Flag.urgency, Flag.published_at, Flag.mention_id)
            < tuple_(
                literal(after.urgency, Flag.urgency.type),
                literal(after.published_at, Flag.published_at.type),
                literal(after.mention_id, Flag.mention_id.type),
            )
        )
    query = query.order_by(
        Flag.urgency.desc(), Flag.published_at.desc(), Flag.mention_id.desc()
    ).limit(limit + 1)
    found = list(session.scalars(query))
    if len(found) <= limit:
        return QueuePage(tuple(found), None)
    last = found[limit - 1]
    return QueuePage(
        tuple(found[:limit]), QueueKey(last.urgency, last.published_at, last.mention_id)
    )


def count_open(session: Session, *, since: datetime | None = None) -> int:
    """Return how many flags are open, at most `COUNT_LIMIT`.

    Args:
        session: The transaction.
        since: Only those flagged later than this.

    """
    query = select(Flag.id).where(_IS_OPEN)
    if since is not None:
        query = query.where(Flag.created_at > since)
    return (
        session.scalar(select(func.count()).select_from(query.limit(COUNT_LIMIT).subquery())) or 0
    )


def get_flag(session: Session, mention_id: int) -> Flag:
    """Return a mention's flag with mention, author and brand."""
    flag = session.scalar(
        select(Flag)
        .where(Flag.mention_id == mention_id)
        .options(
            joinedload(Flag.mention).joinedload(Mention.author),
            joinedload(Flag.mention).joinedload(Mention.brand),
        )
    )
    if flag is None:
        msg = f"mention {mention_id} is not flagged"
        raise NotFoundError(msg)
    return flag


def close_flag(
    session: Session,
    mention_id: int,
    *,
    status: FlagStatus,
    by: str,
    clock: Clock,
    note: str = "",
) -> Flag:
    """Take a mention out of the queue, as done or as dismissed.

    Raises:
        ConflictError: Somebody closed it already.
        InputError: `status` does not close.

    """
    if status is FlagStatus.OPEN:
        msg = "a flag is closed as done or as dismissed"
        raise InputError(msg)
    flag = _lock_flag(session, mention_id)
    if flag.status is not FlagStatus.OPEN:
        msg = f"mention {mention_id} was already {flag.status} by {flag.closed_by}"
        raise ConflictError(msg)
    flag.status, flag.closed_at, flag.closed_by, flag.note = status, clock(), by, note
    session.flush()
    queue_people(session, {flag.mention.author_id}, now=clock())
    return flag


def reopen_flag(session: Session, mention_id: int) -> Flag:
    """Put a mention back into the queue.

    Raises:
        ConflictError: It is in the queue.

    """
    flag = _lock_flag(session, mention_id)
    if flag.status is FlagStatus.OPEN:
        msg = f"mention {mention_id} is in the queue already"
        raise ConflictError(msg)
    flag.status, flag.closed_at, flag.closed_by = FlagStatus.OPEN, None, None
    session.flush()
    queue_people(session, {flag.mention.author_id}, now=utc_now())
    return flag


def _lock_flag(session: Session, mention_id: int) -> Flag:
    session.execute(select(Flag.id).where(Flag.mention_id == mention_id).with_for_update())
    return get_flag(session, mention_id)


def _filtered(session: Session, query: Select[Flag], wanted: QueueFilter) -> Select[Flag]:
    conditions: list[Any] = [_IS_OPEN]
    if wanted.brand:
        brand = select(Brand.id).where(Brand.key == wanted.brand).scalar_subquery()
        conditions.append(Flag.brand_id == brand)
    if wanted.priority:
        conditions.append(Flag.priority == wanted.priority)
    for column, value in (
        (Mention.platform, wanted.platform),
        (Mention.label, wanted.label),
        (Mention.lang, wanted.lang),
    ):
        if value:
            conditions.append(column == value)
    if wanted.text.strip():
        conditions.append(text_contains(session, wanted.text))
    return query.where(*conditions)
