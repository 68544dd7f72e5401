"""Mentions as people look through them: all of them, newest first, by what they want to see."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.errors import InputError, NotFoundError
from crm_link.board.topics import topic_ids
from crm_link.mention_walk import MentionKey, after_key, walk
from crm_link.models import Flag
from listener.models import Brand, Mention
from listener.search import find_words
from sentiment.signals.filter import few_with_signals, signal_conditions
from sentiment.topic_windows import topics_of

#: Mentions that one page looks up for their signals, all brands together: 5 us each.
MOST_LOOKED = 15_000

#: The same where words are looked up for each too: 40 us on SQLite.
MOST_LOOKED_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class MentionFilter:
    """Which mentions are wanted; empty means all. Reposts are counted, not listed.

    `intent` is one of `Intent`, or `none`; `spam` is `likely` or `unlikely`, of the post being
    spam or its account a bot; `about` is the id of a topic of the brand between `since` and
    `until`.
    """

    brand: str = ""
    platform: str = ""
    priority: str = ""
    label: str = ""
    lang: str = ""
    topic: str = ""
    text: str = ""
    intent: str = ""
    emotion: str = ""
    spam: str = ""
    about: str = ""
    author_id: int | None = None
    source_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    with_folded: bool = False


@dataclass(frozen=True, slots=True)
class MentionPage:
    """Some mentions, and where the next ones begin; None at the end.

    `is_cut` says that the page ends where it had looked long enough, though more may match.
    """

    mentions: tuple[Mention, ...]
    after: MentionKey | None
    is_cut: bool = False


def list_mentions(
    session: Session, wanted: MentionFilter, *, after: MentionKey | None = None, limit: int = 25
) -> MentionPage:
    """Return the newest mentions after a place, with author and brand.

    Each brand is one backward walk over its own index, and the walks are merged: one query
    over all brands would sort the whole table. A page whose walks stopped early (`MOST_LOOKED`)
    holds what is newer than that, which may be nothing.
    """
    brand_ids = _brand_ids(session, wanted)
    conditions = _conditions(session, wanted, after)
    most = MOST_LOOKED_WORDS if wanted.text.strip() else MOST_LOOKED
    most = max(1, most // max(1, len(brand_ids)))
    walks = []
    for group in [brand_ids] if conditions.are_named else [[one] for one in brand_ids]:
        few, signals = _signals(session, group, wanted)
        walks.append(
            walk(
                session,
                group,
                [*conditions.quick, *few],
                [*conditions.slow, *signals],
                most_looked=most,
                limit=limit + 1,
            )
        )
    merged = heapq.nsmallest(
        limit + 1, (mention for one in walks for mention in one.found), key=_newest_first
    )
    stops = [one.stopped_at for one in walks if one.stopped_at is not None]
    newest = max(stops, key=lambda key: (key.published_at, key.mention_id), default=None)
    found = [
        mention
        for mention in merged
        if newest is None
        or (mention.published_at, mention.id) >= (newest.published_at, newest.mention_id)
    ]
    if len(found) <= limit:
        return MentionPage(tuple(found), newest, is_cut=newest is not None)
    last = found[limit - 1]
    return MentionPage(tuple(found[:limit]), MentionKey(last.published_at, last.id))


def list_platforms(session: Session) -> list[str]:
    """Return the platforms that there are mentions of.

    One look into the unique index for each brand and platform, however many mentions, as
    `config.distinct` has it for one column.
    """
    return sorted(session.scalars(_platforms()))


@cache
def _platforms() -> Select[tuple[str]]:
    first = select(func.min(Mention.platform)).where(Mention.brand_id == Brand.id)
    start = select(Brand.id.label("brand_id"), first.scalar_subquery().label("platform"))
    seen = start.where(Brand.is_own()).cte("seen", recursive=True)
    after = select(func.min(Mention.platform)).where(
        Mention.brand_id == seen.c.brand_id, Mention.platform > seen.c.platform
    )
    following = select(seen.c.brand_id, after.scalar_subquery())
    seen = seen.union_all(following.where(seen.c.platform.is_not(None)))
    return select(seen.c.platform).where(seen.c.platform.is_not(None)).distinct()


def has_mentions(session: Session) -> bool:
    """Say whether anything has been collected that the reader may see."""
    return session.scalar(select(Mention.id).limit(1)) is not None


def list_brands(session: Session) -> Sequence[Brand]:
    """Return all brands by name, without the copies for drills and the competitors."""
    query = select(Brand).where(Brand.is_own())
    return session.scalars(query.order_by(Brand.name, Brand.id)).all()


def get_brand(session: Session, key: str) -> Brand:
    """Return the brand with this key."""
    brand = session.scalar(select(Brand).where(Brand.key == key))
    if brand is None:
        raise NotFoundError("there is no brand '%(key)s'", key=key)
    return brand


def flags_of(session: Session, mention_ids: Sequence[int]) -> dict[int, Flag]:
    """Return the flags of these mentions, by mention."""
    found = session.scalars(select(Flag).where(Flag.mention_id.in_(mention_ids)))
    return {flag.mention_id: flag for flag in found}


def _newest_first(mention: Mention) -> tuple[float, int]:
    return (-mention.published_at.timestamp(), -mention.id)


def _brand_ids(session: Session, wanted: MentionFilter) -> Sequence[int]:
    if not wanted.brand:
        return session.scalars(select(Brand.id).where(Brand.is_own())).all()
    # A competitor's are listed where they are asked for, as the board's links do.
    named = select(Brand.id).where(Brand.key == wanted.brand, Brand.drill_of_id.is_(None))
    return session.scalars(named).all()


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What an index holds, and what is looked up for each mention.

    `are_named` says that the quick ones name few mentions.
    """

    quick: list[Any]
    slow: list[Any]
    are_named: bool


def _conditions(session: Session, wanted: MentionFilter, after: MentionKey | None) -> _Conditions:
    quick: list[Any] = [
        column == value
        for column, value in (
            (Mention.platform, wanted.platform),
            (Mention.priority, wanted.priority),
            (Mention.label, wanted.label),
            (Mention.lang, wanted.lang),
            (Mention.topic, wanted.topic),
            (Mention.author_id, wanted.author_id),
            (Mention.source_id, wanted.source_id),
        )
        if value
    ]
    slow: list[Any] = []
    are_named = False
    if wanted.about:
        quick.append(_is_about(session, wanted))
    if not wanted.with_folded:
        quick.append(Mention.folded_into_id.is_(None))
    if wanted.since is not None:
        quick.append(Mention.published_at >= wanted.since)
    if wanted.until is not None:
        quick.append(Mention.published_at < wanted.until)
    if wanted.text.strip():
        found = find_words(session, wanted.text)
        are_named = found.are_few
        (quick if are_named else slow).append(found.condition)
    if after is not None:
        quick.append(after_key(after))
    return _Conditions(quick, slow, are_named)


def _signals(
    session: Session, brand_ids: Sequence[int], wanted: MentionFilter
) -> tuple[list[Any], list[Any]]:
    """Return quick and slow conditions of signals: what few of a brand have is named."""
    few = None
    if len(brand_ids) == 1:
        few = few_with_signals(session, brand_ids[0], emotion=wanted.emotion, spam=wanted.spam)
    if few is not None:
        return [any_of(session, Mention.id, few)], signal_conditions(intent=wanted.intent)
    return [], signal_conditions(intent=wanted.intent, emotion=wanted.emotion, spam=wanted.spam)


def _is_about(session: Session, wanted: MentionFilter) -> Any:  # noqa: ANN401 - a condition
    """Return the condition that a mention is about a topic of the window."""
    if wanted.since is None or wanted.until is None:
        raise InputError("a topic is one of a stretch of time: say since and until with about")
    brand_id = get_brand(session, wanted.brand).id if wanted.brand else None
    ids = topic_ids(session, brand_id, wanted.since, wanted.until, wanted.about)
    if ids is not None:
        return any_of(session, Mention.id, ids)
    found = topics_of(session, brand_id, wanted.since, wanted.until).topics
    ids = next((topic.ids for topic in found if topic.id == wanted.about), ())
    return any_of(session, Mention.id, ids)
