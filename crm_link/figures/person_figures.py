"""The social figures of one contact: their confirmed accounts together, over all brands.

The definitions are those of `crm_link.figures.overview`, over the last `WINDOW`. Of several
accounts the highest score is the contact's, with its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select
from sqlalchemy.orm import Session, aliased

from config.any_of import any_of
from crm_link.figures.author_scores import WINDOW
from crm_link.figures.groups import LIKELY_BOT, journey_where, median, reasons_where
from crm_link.figures.overview import churn_parts, lead_parts
from crm_link.figures.people import people_where
from listener.models import Author, Brand, Mention


@dataclass(frozen=True, slots=True)
class Score:
    """A score, 0 to 100, and what it is made of."""

    score: int
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """What a social CRM measures of one person; `crm_link.figures.overview.DEFINITIONS` says how.

    Args:
        engagement: Likes, reposts and replies that their mentions got.
        lead: None where they want nothing, or must not be contacted.
        churn: None where nothing warns.
        journey: Mentions at each stage: before, at, after.
        reasons: Complaints by what they are about, most first.
        first_answers: Mentions that one of the brands' own accounts answered, as far as the
            platform says which conversation both are of.
        median_first_answer_s: Seconds to that answer, the median.

    """

    engagement: int = 0
    lead: Score | None = None
    churn: Score | None = None
    journey: Mapping[str, int] | None = None
    reasons: Mapping[str, int] | None = None
    first_answers: int = 0
    median_first_answer_s: float | None = None


def person_figures(
    session: Session, author_ids: Sequence[int], *, may_contact: bool, now: datetime
) -> PersonFigures:
    """Return the figures of a contact who is these authors."""
    if not author_ids:
        return PersonFigures()
    since = now - WINDOW
    window = and_(
        any_of(session, Mention.author_id, sorted(author_ids)),
        Mention.published_at >= since,
        Mention.published_at <= now,
        Mention.deleted_at.is_(None),
    )
    people = people_where(window, middle=now - WINDOW / 2)
    lead, churn = lead_parts(people), churn_parts(people)
    rows = session.execute(
        select(
            people.c.engagement,
            or_(people.c.purchases > 0, people.c.questions > 0).label("wants"),
            *(part.label(f"lead {name}") for name, part in lead.items()),
            *(part.label(f"churn {name}") for name, part in churn.items()),
        )
        .join(Author, Author.id == people.c.author_id)
        .where(people.c.bot < LIKELY_BOT)
    )
    found = rows.mappings().all()
    wanting = [row for row in found if row["wants"]] if may_contact else []
    answers = _first_answers(session, window, since)
    return PersonFigures(
        engagement=sum(int(row["engagement"] or 0) for row in found),
        lead=_best(wanting, "lead", list(lead)),
        churn=_best(found, "churn", list(churn)),
        journey=journey_where(session, window),
        reasons=reasons_where(session, window),
        first_answers=len(answers),
        median_first_answer_s=median(answers),
    )


def _best(rows: Sequence[RowMapping], kind: str, names: Sequence[str]) -> Score | None:
    """Return the highest score of some accounts; None where none is above 0."""
    found = []
    for row in rows:
        points = {name: int(row[f"{kind} {name}"] or 0) for name in names}
        parts = {name: one for name, one in points.items() if one}
        found.append(Score(max(0, min(100, sum(parts.values()))), parts))
    best = max(found, key=lambda one: one.score, default=None)
    return best if best is not None and best.score else None


def _first_answers(session: Session, window: ColumnElement[bool], since: datetime) -> list[float]:
    """Return the seconds to the brand's first answer of each mention that has one, sorted.

    Answers are found by their conversation, for which there is an index.
    """
    asked = (
        select(
            Mention.id,
            Mention.brand_id,
            Mention.platform,
            Mention.external_id,
            Mention.conversation_id,
            Mention.published_at,
        )
        .where(window, Mention.conversation_id.is_not(None))
        .cte("asked")
    )
    answer = aliased(Mention)
    rows = session.execute(
        select(asked.c.id, asked.c.published_at, answer.published_at, Author.handle, Brand.names)
        .select_from(asked)
        .join(
            answer,
            and_(
                answer.platform == asked.c.platform,
                answer.conversation_id == asked.c.conversation_id,
                answer.brand_id == asked.c.brand_id,
                answer.reply_to_id == asked.c.external_id,
                answer.published_at >= asked.c.published_at,
            ),
        )
        .join(Author, Author.id == answer.author_id)
        .join(Brand, Brand.id == answer.brand_id)
        .where(answer.published_at >= since)
        .order_by(answer.published_at)
    )
    first: dict[int, float] = {}
    for mention_id, at, answered_at, handle, names in rows:
        own = {name.lstrip("@").casefold() for name in names or () if name.startswith("@")}
        if (handle or "").casefold() in own:
            first.setdefault(mention_id, (answered_at - at).total_seconds())
    return sorted(first.values())
