"""The review queue: flagged mentions in the order in which they are due."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload

from config.any_of import any_of
from config.errors import NotFoundError
from crm_link.models import Contact, Flag, IdentityLink
from crm_link.types import LinkState
from listener.models import Brand, Mention
from listener.search import text_contains

#: Open flags are counted up to here; a person does not need to know more exactly.
COUNT_LIMIT = 1000

#: As assignee or tier: there is none.
NOBODY = "nobody"

#: States that can be asked for.
LATE = "late"
SNOOZED = "snoozed"

#: Literal, because the databases match a partial index with a constant only.
_IS_OPEN = Flag.status == literal_column("'open'")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is wanted; empty means all.

    `assignee` is a user's e-mail or `nobody`; `tier` a contact's tier or `nobody`, for authors
    who are no contact; `state` is `late` (not answered in time) or `snoozed`, else what is
    snoozed is left out.
    """

    brand: str = ""
    platform: str = ""
    priority: str = ""
    label: str = ""
    lang: str = ""
    text: str = ""
    assignee: str = ""
    tier: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class QueueKey:
    """A place in the queue: what comes after it is due later, or asks for less, or is newer."""

    due_at: datetime
    rank: int
    mention_id: int


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some flags, and where the next ones begin; None at the end."""

    flags: tuple[Flag, ...]
    after: QueueKey | None


def open_flags(
    session: Session,
    wanted: QueueFilter,
    *,
    now: datetime,
    after: QueueKey | None = None,
    limit: int = 25,
) -> QueuePage:
    """Return the open flags after a place, what is due first, with mention, author and brand."""
    query = _filtered(
        session,
        select(Flag)
        .join(Flag.mention)
        .options(
            contains_eager(Flag.mention).joinedload(Mention.author),
            contains_eager(Flag.mention).joinedload(Mention.brand),
        ),
        wanted,
        now,
    )
    if after is not None:
        query = query.where(
            tuple_(Flag.due_at, Flag.rank, Flag.mention_id)
            > tuple_(
                literal(after.due_at, Flag.due_at.type),
                literal(after.rank, Flag.rank.type),
                literal(after.mention_id, Flag.mention_id.type),
            )
        )
    query = query.order_by(Flag.due_at, Flag.rank, Flag.mention_id).limit(limit + 1)
    found = list(session.scalars(query))
    if len(found) <= limit:
        return QueuePage(tuple(found), None)
    last = found[limit - 1]
    return QueuePage(tuple(found[:limit]), QueueKey(last.due_at, last.rank, last.mention_id))


def ids_of(session: Session, wanted: QueueFilter, *, now: datetime, limit: int) -> list[int]:
    """Return the mentions of a part of the queue, what is due first, at most so many."""
    query = _filtered(session, select(Flag.mention_id).join(Flag.mention), wanted, now)
    query = query.order_by(Flag.due_at, Flag.rank, Flag.mention_id).limit(limit)
    return list(session.scalars(query))


def count_open(session: Session, *, now: datetime, since: datetime | None = None) -> int:
    """Return how many flags are open and not snoozed, at most `COUNT_LIMIT`.

    Args:
        session: The transaction.
        now: The present.
        since: Only those flagged later than this.

    """
    query = select(Flag.id).where(
        _IS_OPEN, Flag.snoozed_until.is_(None) | (Flag.snoozed_until <= now)
    )
    if since is not None:
        query = query.where(Flag.created_at > since)
    return (
        session.scalar(select(func.count()).select_from(query.limit(COUNT_LIMIT).subquery())) or 0
    )


def get_flags(session: Session, mention_ids: Collection[int]) -> dict[int, Flag]:
    """Return these mentions' flags with mention, author and brand, by mention."""
    found = session.scalars(
        select(Flag)
        .where(any_of(session, Flag.mention_id, mention_ids))
        .options(
            joinedload(Flag.mention).joinedload(Mention.author),
            joinedload(Flag.mention).joinedload(Mention.brand),
        )
    )
    return {flag.mention_id: flag for flag in found}


def versions_of(session: Session, mention_ids: Collection[int]) -> dict[int, int]:
    """Return the versions of these mentions' flags, by mention."""
    query = select(Flag.mention_id, Flag.version)
    rows = session.execute(query.where(any_of(session, Flag.mention_id, mention_ids)))
    return {row.mention_id: row.version for row in rows}


def get_flag(session: Session, mention_id: int) -> Flag:
    """Return a mention's flag with mention, author and brand."""
    flag = get_flags(session, [mention_id]).get(mention_id)
    if flag is None:
        raise NotFoundError("mention %(mention_id)s is not flagged", mention_id=mention_id)
    return flag


def _filtered(
    session: Session, query: Select[Any], wanted: QueueFilter, now: datetime
) -> Select[Any]:
    conditions: list[Any] = [_IS_OPEN]
    is_snoozed = Flag.snoozed_until > now
    conditions.append(
        is_snoozed if wanted.state == SNOOZED else Flag.snoozed_until.is_(None) | ~is_snoozed
    )
    if wanted.state == LATE:
        conditions += [Flag.due_at <= now, Flag.answered_at.is_(None)]
    if wanted.brand:
        brand = select(Brand.id).where(Brand.key == wanted.brand).scalar_subquery()
        conditions.append(Flag.brand_id == brand)
    if wanted.assignee:
        owner = Flag.assignee
        conditions.append(
            owner.is_(None) if wanted.assignee == NOBODY else owner == wanted.assignee
        )
    for column, value in (
        (Flag.priority, wanted.priority),
        (Flag.platform, wanted.platform),
        (Flag.label, wanted.label),
        (Flag.lang, wanted.lang),
    ):
        if value:
            conditions.append(column == value)
    if wanted.tier:
        conditions.append(_of_tier(wanted.tier))
    if wanted.text.strip():
        conditions.append(text_contains(session, wanted.text, of=Flag.mention_id))
    return query.where(*conditions)


def _of_tier(tier: str) -> Any:  # noqa: ANN401 - a condition
    """Return the condition that the author is a contact of this tier, or nobody we know."""
    linked = (
        select(IdentityLink.author_id)
        .join(Contact, Contact.id == IdentityLink.contact_id)
        .where(IdentityLink.state == LinkState.CONFIRMED, Contact.deleted_at.is_(None))
    )
    if tier == NOBODY:
        known = linked.where(IdentityLink.author_id == Mention.author_id).correlate(Mention)
        return ~known.exists()
    return Mention.author_id.in_(linked.where(Contact.tier == tier))
