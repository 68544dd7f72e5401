"""The authors of a window, one row each, with all that segments and scores are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    FromClause,
    MetaData,
    ScalarSelect,
    Subquery,
    Table,
    case,
    func,
    insert,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.db import BigKey
from crm_link.figures.groups import has_intent, in_window
from crm_link.models import IdentityLink
from crm_link.types import LinkState
from listener.models import Mention
from sentiment.signals.intents import Intent
from sentiment.signals.models import MentionSignal
from sentiment.types import Label


def _sum_if(condition: ColumnElement[bool], value: Any = 1) -> ColumnElement[Any]:  # noqa: ANN401
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)


def people_of(brand_id: int, since: datetime, until: datetime) -> Subquery:
    """Return one row for each author of the window: mentions, sums, intents, contact, bot."""
    return people_where(in_window(brand_id, since, until), middle=since + (until - since) / 2)


def people_where(window: ColumnElement[bool], *, middle: datetime) -> Subquery:
    """Return one row for each author of the mentions in a window, whose halves meet at `middle`."""
    judged = Mention.label.is_not(None) & (Mention.label != Label.UNKNOWN.value)
    early, late = (
        judged & (Mention.published_at < middle),
        judged & (Mention.published_at >= middle),
    )
    return (
        select(
            Mention.author_id.label("author_id"),
            func.count().label("mentions"),
            _sum_if(judged).label("judged"),
            _sum_if(judged, Mention.score).label("score_sum"),
            _sum_if(early).label("early"),
            _sum_if(early, Mention.score).label("early_sum"),
            _sum_if(late).label("late"),
            _sum_if(late, Mention.score).label("late_sum"),
            func.sum(
                func.coalesce(Mention.likes, 0)
                + func.coalesce(Mention.reposts, 0)
                + func.coalesce(Mention.replies, 0)
            ).label("engagement"),
            _sum_if(has_intent(Intent.PURCHASE)).label("purchases"),
            _sum_if(has_intent(Intent.QUESTION)).label("questions"),
            _sum_if(has_intent(Intent.COMPLAINT)).label("complaints"),
            _sum_if(has_intent(Intent.CANCEL)).label("cancels"),
            func.coalesce(func.max(MentionSignal.bot), 0.0).label("bot"),
            linked_contact(Mention.author_id).label("contact_id"),
        )
        .outerjoin(MentionSignal, MentionSignal.mention_id == Mention.id)
        .where(window, Mention.author_id.is_not(None))
        .group_by(Mention.author_id)
        .subquery("people")
    )


def linked_contact(author_id: InstrumentedAttribute[Any]) -> ScalarSelect[Any]:
    """Return the contact that the author of a row is confirmed to be; None where it is nobody."""
    return (
        select(func.min(IdentityLink.contact_id))
        .where(
            IdentityLink.author_id == author_id,
            IdentityLink.state == LinkState.CONFIRMED,
        )
        .correlate(author_id.class_)
        .scalar_subquery()
    )


def keep_people(session: Session, brand_id: int, since: datetime, until: datetime) -> FromClause:
    """Return the same rows as a table that lasts as long as the transaction.

    For whoever asks for many figures of many mentions: they are grouped once. Nothing is written
    to the database itself, so that on SQLite no writer waits.
    """
    people = people_of(brand_id, since, until)
    columns = (Column(one.name, Double() if one.name in _FRACTIONS else BigKey) for one in people.c)
    kept = Table(
        "kept_people", MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )
    kept.create(session.connection(), checkfirst=False)
    session.execute(insert(kept).from_select([one.name for one in people.c], select(people)))
    return kept


#: Columns that are no whole numbers.
_FRACTIONS = frozenset({"score_sum", "early_sum", "late_sum", "bot"})


def mean_of(people: FromClause) -> ColumnElement[Any]:
    """Return an author's mean score; 0 where nothing was judged."""
    return case(
        (people.c.judged > 0, people.c.score_sum / func.nullif(people.c.judged, 0)), else_=0.0
    )
