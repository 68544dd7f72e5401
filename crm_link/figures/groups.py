"""Mentions and people of a window in groups: journey, complaint reasons, audience, answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from listener.models import Author, Brand, Mention
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal
from sentiment.signals.reasons import Reason

#: Authors with a likelihood of being a bot from here on are no leads and no audience.
LIKELY_BOT = 0.7

#: Fewest people of a group that is named.
LEAST_GROUP = 10


class Stage(StrEnum):
    """Where in the customer's journey a mention stands."""

    BEFORE = "before"
    AT = "at"
    AFTER = "after"


_AT_REASONS = (Reason.DELIVERY, Reason.AVAILABILITY, Reason.PRICE, Reason.APP)


def in_window(brand_id: int, since: datetime, until: datetime) -> ColumnElement[bool]:
    """Return the condition that a mention is of the brand's window and still there."""
    return and_(
        Mention.brand_id == brand_id,
        Mention.published_at >= since,
        Mention.published_at < until,
        Mention.deleted_at.is_(None),
    )


def has_intent(intent: Intent) -> ColumnElement[bool]:
    """Return the condition that a mention has an intent."""
    return MentionSignal.intents.like(f"% {intent.value} %")


def journey(session: Session, brand_id: int, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many mentions of a brand's window stand at each stage."""
    return journey_where(session, in_window(brand_id, since, until))


def journey_where(session: Session, window: ColumnElement[bool]) -> dict[str, int]:
    """Return how many of these mentions stand at each stage."""
    complains = or_(has_intent(Intent.COMPLAINT), has_intent(Intent.CANCEL))
    at_reason = MentionSignal.complaint_reason.in_([one.value for one in _AT_REASONS])
    stage = case(
        (has_intent(Intent.COMPLAINT) & at_reason, literal(Stage.AT.value)),
        (or_(complains, has_intent(Intent.PRAISE)), literal(Stage.AFTER.value)),
        (
            or_(has_intent(Intent.PURCHASE), has_intent(Intent.QUESTION)),
            literal(Stage.BEFORE.value),
        ),
    )
    rows = session.execute(
        select(stage, func.count())
        .select_from(Mention)
        .join(MentionSignal, MentionSignal.mention_id == Mention.id)
        .where(window, stage.is_not(None))
        .group_by(stage)
    )
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {one.value: found.get(one.value, 0) for one in Stage}


def reasons(session: Session, brand_id: int, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many complaints of a brand's window are about each reason, most first."""
    within = (
        MentionSignal.brand_id == brand_id,
        MentionSignal.published_at >= since,
        MentionSignal.published_at < until,
    )
    # Signals have a copy of brand and time: none of the window's posts is looked up for it.
    gone = select(Mention.id).where(
        Mention.brand_id == brand_id,
        Mention.published_at >= since,
        Mention.published_at < until,
        Mention.deleted_at.is_not(None),
    )
    rows = session.execute(
        select(MentionSignal.complaint_reason, func.count())
        .where(
            *within,
            MentionSignal.complaint_reason.is_not(None),
            MentionSignal.mention_id.not_in(gone),
        )
        .group_by(MentionSignal.complaint_reason)
        .order_by(func.count().desc(), MentionSignal.complaint_reason)
    )
    return {str(row[0]): row[1] for row in rows}


def reasons_where(session: Session, window: ColumnElement[bool]) -> dict[str, int]:
    """Return how many complaints of these mentions are about each reason, most first."""
    rows = session.execute(
        select(MentionSignal.complaint_reason, func.count())
        .join(Mention, Mention.id == MentionSignal.mention_id)
        .where(window, MentionSignal.complaint_reason.is_not(None))
        .group_by(MentionSignal.complaint_reason)
        .order_by(func.count().desc(), MentionSignal.complaint_reason)
    )
    return {str(row[0]): row[1] for row in rows}


def people_groups(
    session: Session,
    brand_id: int,
    since: datetime,
    until: datetime,
    column: ColumnElement[Any],
    most: int,
) -> dict[str, int]:
    """Return how many people are in each group, those that are large enough to be named."""
    people = func.count(Mention.author_id.distinct())
    rows = session.execute(
        select(column, people)
        .select_from(Mention)
        .join(Author, Author.id == Mention.author_id)
        .outerjoin(MentionSignal, MentionSignal.mention_id == Mention.id)
        .where(
            in_window(brand_id, since, until),
            column.is_not(None),
            column != "",
            func.coalesce(MentionSignal.bot, 0.0) < LIKELY_BOT,
        )
        .group_by(column)
        .having(people >= LEAST_GROUP)
        .order_by(people.desc(), column)
        .limit(most)
    )
    return {str(row[0]): row[1] for row in rows}


def first_answers(session: Session, brand_id: int, since: datetime, until: datetime) -> list[float]:
    """Return the seconds to the brand's first reply, of each mention that has one, sorted."""
    names = session.scalar(select(Brand.names).where(Brand.id == brand_id)) or []
    handles = sorted({name.lstrip("@").casefold() for name in names if name.startswith("@")})
    if not handles:  # else the window is read for nothing
        return []
    # From the window's replies, not from all authors: no index knows a handle in any case. They
    # are few and looked at first: a planner without statistics may else pair all with all.
    answers = (
        select(Mention.platform, Mention.reply_to_id, Mention.published_at)
        .join(Author, Author.id == Mention.author_id)
        .where(
            func.lower(Author.handle).in_(handles),
            Mention.brand_id == brand_id,
            Mention.published_at >= since,
            Mention.reply_to_id.is_not(None),
        )
        .cte("answers")
        .prefix_with("MATERIALIZED")
    )
    rows = session.execute(
        select(Mention.published_at, func.min(answers.c.published_at))
        .join(
            answers,
            and_(
                Mention.platform == answers.c.platform,
                Mention.external_id == answers.c.reply_to_id,
                Mention.published_at <= answers.c.published_at,
            ),
        )
        .where(in_window(brand_id, since, until))
        .group_by(Mention.id, Mention.published_at)
    )
    return sorted((row[1] - row[0]).total_seconds() for row in rows)


def median(values: Sequence[float]) -> float | None:
    """Return the middle one of sorted values, None of none."""
    return values[len(values) // 2] if values else None
