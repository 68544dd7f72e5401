"""The review queue: flagged mentions in the order in which they are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload

from config.any_of import any_of
from config.errors import NotFoundError
from crm_link.models import Contact, Flag, IdentityLink
from crm_link.types import LinkState
from listener.models import Author, Brand, Mention
from listener.search import find_words

#: Open flags are counted up to here; a person does not need to know more exactly.
COUNT_LIMIT = 1000

#: Accounts of contacts of a tier up to which their flags are named beforehand, and how many of
#: these: of more, a page of the queue is found among the first few thousand flags.
FEW_AUTHORS, FEW_FLAGS = 2_000, 4_000

#: Flags whose authors and words are looked up in one turn, those that are due first, and turns.
#: Of more at a time PostgreSQL reads whole tables.
LOOKED, TURNS = 1_000, 4

#: As assignee or tier: there is none.
NOBODY = "nobody"

#: States that can be asked for.
LATE = "late"
SNOOZED = "snoozed"

#: Literal, because the databases match a partial index with a constant only.
_IS_OPEN = Flag.status == literal_column("'open'")

_ORDER = (Flag.due_at, Flag.rank, Flag.mention_id)


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
    conditions = _conditions(session, wanted, now)
    if after is not None:
        conditions.quick.append(
            tuple_(Flag.due_at, Flag.rank, Flag.mention_id)
            > tuple_(
                literal(after.due_at, Flag.due_at.type),
                literal(after.rank, Flag.rank.type),
                literal(after.mention_id, Flag.mention_id.type),
            )
        )
    found = _first_ones(session, conditions, limit + 1)
    if len(found) <= limit:
        return QueuePage(tuple(found), None)
    last = found[limit - 1]
    return QueuePage(tuple(found[:limit]), QueueKey(last.due_at, last.rank, last.mention_id))


def _first_ones(session: Session, conditions: _Conditions, limit: int) -> Sequence[Flag]:
    """Return the flags that are due first.

    What is looked up for each flag is looked up for the first ones only, where most filters find
    a page; where they do not, it is asked for of all flags at once.
    """
    query = (
        select(Flag)
        .join(Flag.mention)
        .options(
            contains_eager(Flag.mention).joinedload(Mention.author),
            contains_eager(Flag.mention).joinedload(Mention.brand),
        )
        .order_by(*_ORDER)
        .limit(limit)
    )
    if not conditions.slow:
        return session.scalars(query.where(*conditions.quick)).all()
    first = select(Flag.mention_id).where(*conditions.quick).order_by(*_ORDER).limit(LOOKED)
    each = [one.each for one in conditions.slow]
    found: list[Flag] = []
    for turn in range(TURNS):
        near = first.offset(turn * LOOKED).subquery()
        looked = query.join(near, near.c.mention_id == Flag.mention_id).where(*each)
        found += session.scalars(looked.limit(limit - len(found)))
        if len(found) >= limit:
            return found
        if (session.scalar(select(func.count()).select_from(near)) or 0) < LOOKED:
            return found
    # Their ids first, which indexes hold: many more flags are looked through than are shown.
    ids = (
        select(Flag.mention_id)
        .join(Flag.mention)
        .where(*conditions.quick, *(one.all_at_once for one in conditions.slow))
        .order_by(*_ORDER)
        .limit(limit)
    )
    return session.scalars(
        query.where(any_of(session, Flag.mention_id, session.scalars(ids)))
    ).all()


def ids_of(session: Session, wanted: QueueFilter, *, now: datetime, limit: int) -> list[int]:
    """Return the mentions of a part of the queue, what is due first, at most so many."""
    conditions = _conditions(session, wanted, now)
    each = [one.each for one in conditions.slow]
    query = select(Flag.mention_id).join(Flag.mention).where(*conditions.quick, *each)
    return list(session.scalars(query.order_by(*_ORDER).limit(limit)))


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


@dataclass(frozen=True, slots=True)
class _Slow:
    """A condition that no index of the queue holds: for each flag, and for all at once."""

    each: Any
    all_at_once: Any


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What an index of the queue holds, or that names few flags; and what is looked up."""

    quick: list[Any]
    slow: list[_Slow]


def _conditions(session: Session, wanted: QueueFilter, now: datetime) -> _Conditions:
    quick: list[Any] = [_IS_OPEN]
    is_snoozed = Flag.snoozed_until > now
    quick.append(
        is_snoozed if wanted.state == SNOOZED else Flag.snoozed_until.is_(None) | ~is_snoozed
    )
    if wanted.state == LATE:
        quick += [Flag.due_at <= now, Flag.answered_at.is_(None)]
    if wanted.brand:
        brand = select(Brand.id).where(Brand.key == wanted.brand).scalar_subquery()
        quick.append(Flag.brand_id == brand)
    if wanted.assignee:
        owner = Flag.assignee
        quick.append(owner.is_(None) if wanted.assignee == NOBODY else owner == wanted.assignee)
    for column, value in (
        (Flag.priority, wanted.priority),
        (Flag.platform, wanted.platform),
        (Flag.label, wanted.label),
        (Flag.lang, wanted.lang),
    ):
        if value:
            quick.append(column == value)
    slow: list[_Slow] = []
    if wanted.tier:
        named = _named_of_tier(session, wanted)
        if named is None:
            slow.append(_of_tier(wanted.tier))
        else:
            quick.append(named)
    if wanted.text.strip():
        found = find_words(session, wanted.text, of=Flag.mention_id)
        if found.are_few:
            quick.append(found.condition)
        else:
            slow.append(_Slow(found.condition, found.all_at_once))
    return _Conditions(quick, slow)


def _linked() -> Select[Any]:
    """Return the accounts that are contacts."""
    return (
        select(IdentityLink.author_id)
        .join(Contact, Contact.id == IdentityLink.contact_id)
        .where(IdentityLink.state == LinkState.CONFIRMED, Contact.deleted_at.is_(None))
    )


def _named_of_tier(session: Session, wanted: QueueFilter) -> Any:  # noqa: ANN401 - a condition
    """Return the condition that names the flags of a tier's accounts; None where they are many."""
    if wanted.tier == NOBODY:
        return None
    query = _linked().where(Contact.tier == wanted.tier)
    if wanted.platform:
        query = query.join(Author, Author.id == IdentityLink.author_id)
        query = query.where(Author.platform == wanted.platform)
    accounts = session.scalars(query.limit(FEW_AUTHORS + 1)).all()
    if len(accounts) > FEW_AUTHORS:
        return None
    theirs = session.scalars(
        select(Flag.mention_id)
        .join(Flag.mention)
        .where(_IS_OPEN, any_of(session, Mention.author_id, accounts))
        .limit(FEW_FLAGS + 1)
    ).all()
    return any_of(session, Flag.mention_id, theirs) if len(theirs) <= FEW_FLAGS else None


def _of_tier(tier: str) -> _Slow:
    """Return the condition that the author is a contact of this tier, or nobody we know.

    For each flag it is a scalar, not IN or EXISTS, of which PostgreSQL would make a join that
    reads and sorts all of them.
    """
    own = _linked().where(IdentityLink.author_id == Mention.author_id).correlate(Mention).limit(1)
    if tier == NOBODY:
        nobody = own.scalar_subquery().is_(None)
        return _Slow(nobody, nobody)
    of_tier = Mention.author_id.in_(_linked().where(Contact.tier == tier))
    return _Slow(own.where(Contact.tier == tier).scalar_subquery().is_not(None), of_tier)
