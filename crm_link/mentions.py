"""Mentions as people look through them: all of them, newest first, by what they want to see."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from config.errors import InputError, NotFoundError
from crm_link.board_topics import topic_ids
from crm_link.models import Flag
from listener.models import Brand, Mention
from listener.search import text_contains
from sentiment.signal_filter import signal_conditions
from sentiment.topic_windows import topics_of


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
class MentionKey:
    """A place in the list: what comes after it is older."""

    published_at: datetime
    mention_id: int


@dataclass(frozen=True, slots=True)
class MentionPage:
    """Some mentions, and where the next ones begin; None at the end."""

    mentions: tuple[Mention, ...]
    after: MentionKey | None


def list_mentions(
    session: Session, wanted: MentionFilter, *, after: MentionKey | None = None, limit: int = 25
) -> MentionPage:
    """Return the newest mentions after a place, with author and brand.

    Each brand is one backward walk over its own index, and the walks are merged: one query
    over all brands would sort the whole table.
    """
    conditions = _conditions(session, wanted, after)
    walks = [
        session.scalars(
            select(Mention)
            .where(Mention.brand_id == brand_id, *conditions)
            .options(joinedload(Mention.author), joinedload(Mention.brand))
            .order_by(Mention.published_at.desc(), Mention.id.desc())
            .limit(limit + 1)
        ).all()
        for brand_id in _brand_ids(session, wanted)
    ]
    found = heapq.nsmallest(
        limit + 1, (mention for walk in walks for mention in walk), key=_newest_first
    )
    if len(found) <= limit:
        return MentionPage(tuple(found), None)
    last = found[limit - 1]
    return MentionPage(tuple(found[:limit]), MentionKey(last.published_at, last.id))


def list_platforms(session: Session) -> list[str]:
    """Return the platforms that there are mentions of.

    One look into the unique index for each brand and platform, however many mentions.
    """
    found: set[str] = set()
    for brand_id in session.scalars(select(Brand.id).where(Brand.is_own())).all():
        platform: str | None = ""
        while platform is not None:
            platform = session.scalar(
                select(func.min(Mention.platform)).where(
                    Mention.brand_id == brand_id, Mention.platform > platform
                )
            )
            if platform is not None:
                found.add(platform)
    return sorted(found)


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


def _conditions(session: Session, wanted: MentionFilter, after: MentionKey | None) -> list[Any]:
    conditions: list[Any] = [
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
    conditions += signal_conditions(intent=wanted.intent, emotion=wanted.emotion, spam=wanted.spam)
    if wanted.about:
        conditions.append(_is_about(session, wanted))
    if not wanted.with_folded:
        conditions.append(Mention.folded_into_id.is_(None))
    if wanted.since is not None:
        conditions.append(Mention.published_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Mention.published_at < wanted.until)
    if wanted.text.strip():
        conditions.append(text_contains(session, wanted.text))
    if after is not None:
        conditions.append(
            tuple_(Mention.published_at, Mention.id)
            < tuple_(
                literal(after.published_at, Mention.published_at.type),
                literal(after.mention_id, Mention.id.type),
            )
        )
    return conditions


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
