"""Lead score, churn warning and segment of authors, for the CRM records of who they are.

The definitions are those of `crm_link.figures.overview`, over the last `WINDOW` and all brands
together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, literal, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.errors import InputError
from config.settings import Settings, read_settings
from crm_link.figures.groups import LIKELY_BOT
from crm_link.figures.overview import CLEAR_MEAN, Segment, churn_parts, lead_parts
from crm_link.figures.people import people_where
from listener.models import Author, Mention

#: What scores look back on.
WINDOW = timedelta(days=90)

#: Scores that can be written, and their fields.
SCORES = {
    "lead": "groundswell_lead_score",
    "churn": "groundswell_churn_score",
    "segment": "groundswell_segment",
}


@dataclass(frozen=True, slots=True)
class AuthorScores:
    """One author's scores; a segment is made of the sum and the number of judged mentions."""

    lead: int
    churn: int
    score_sum: float
    judged: int


def wanted_scores() -> frozenset[str]:
    """Return the scores that the settings ask for.

    Raises:
        InputError: One of them is not known.

    """
    said = {one.strip() for one in read_settings(Settings).crm_scores.split(",")} - {""}
    if unknown := sorted(said - set(SCORES)):
        raise InputError(
            f"GROUNDSWELL_CRM_SCORES: {', '.join(unknown)} is not among {', '.join(SCORES)}"
        )
    return frozenset(said)


def author_scores(
    session: Session, author_ids: Collection[int], now: datetime
) -> dict[int, AuthorScores]:
    """Return the scores of the authors who spoke in the window; likely bots have none."""
    window = and_(
        any_of(session, Mention.author_id, sorted(author_ids)),
        Mention.published_at >= now - WINDOW,
        Mention.published_at <= now,
        Mention.deleted_at.is_(None),
    )
    people = people_where(window, middle=now - WINDOW / 2)
    lead = sum(lead_parts(people).values(), start=literal(0))
    churn = sum(churn_parts(people).values(), start=literal(0))
    wants = (people.c.purchases > 0) | (people.c.questions > 0)
    rows = session.execute(
        select(
            people.c.author_id,
            lead.label("lead"),
            churn.label("churn"),
            wants.label("wants"),
            people.c.score_sum,
            people.c.judged,
        )
        .join(Author, Author.id == people.c.author_id)
        .where(people.c.bot < LIKELY_BOT)
    )
    return {
        row.author_id: AuthorScores(
            lead=_bounded(row.lead) if row.wants else 0,
            churn=_bounded(row.churn),
            score_sum=float(row.score_sum),
            judged=int(row.judged),
        )
        for row in rows
    }


def score_fields(
    found: Sequence[AuthorScores], wanted: Collection[str]
) -> dict[str, int | str | None]:
    """Return the fields of a person's accounts together: the highest scores, and the segment."""
    judged = sum(one.judged for one in found)
    mean = sum(one.score_sum for one in found) / judged if judged else 0.0
    segment = Segment.ORDINARY
    if abs(mean) > CLEAR_MEAN:
        segment = Segment.PROMOTER if mean > 0 else Segment.DETRACTOR
    values: dict[str, int | str | None] = {
        "lead": max((one.lead for one in found), default=None),
        "churn": max((one.churn for one in found), default=None),
        "segment": segment.value if judged else None,
    }
    return {field: values[name] if name in wanted else None for name, field in SCORES.items()}


def _bounded(score: int) -> int:
    return max(0, min(100, int(score)))
