"""What a social CRM measures of people: segments, leads, churn warnings, journey, audience.

All of it is counted in the database, per author, over a window; the definitions are in
`DEFINITIONS`, and go with the figures wherever they are shown. A person is told from the crowd
only where a contact is linked to the account; audience figures name no group of fewer than
`LEAST_GROUP` people.

Sources of the definitions: detractors, ordinary people and delighted customers, and the signs of
leaving (complaints, falling satisfaction, cancelling words) after the textbooks of social CRM;
the net promoter score's words are used for what people say, not for an answer to its question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.phrases import later, phrase
from crm_link.figures.groups import (
    LEAST_GROUP,
    LIKELY_BOT,
    first_answers,
    journey,
    median,
    people_groups,
    reasons,
)
from crm_link.figures.people import mean_of, people_of
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Author, Mention

#: Mean score from which on (below which) an author is a promoter (a detractor).
CLEAR_MEAN = 0.25

#: Fall of the mean score, from the window's first half to its second, that is a warning.
FALL = 0.2

DEFINITIONS: Mapping[str, str] = {
    "segments": phrase(
        "Authors by the mean score of their judged mentions in the window: detractors below "
        "-%(mean)s, promoters above +%(mean)s, ordinary between. Reposts count as the "
        "reposter's own words.",
        mean=CLEAR_MEAN,
    ),
    "engagement": phrase("Likes, reposts and replies that the mentions got, as last seen."),
    "leads": phrase(
        "0 to 100: 50 for an intent to buy, 20 for a question, 10 for a mean score above zero, "
        "10 if no contact is linked yet, 10 for 1,000 followers or more; likely bots get none, "
        "nor does whoever must not be contacted, and a clearly negative mean takes 30."
    ),
    "churn": phrase(
        "0 to 100, of authors who are linked to a contact: 40 for a wish to cancel, 15 for each "
        "complaint up to three, 15 for a mean score that fell by %(fall)s or more from the "
        "window's first half to its second. Ordered by the customer's value, then by warning.",
        fall=FALL,
    ),
    "journey": phrase(
        "Before: mentions with an intent to buy or a question and no complaint. At: complaints "
        "about delivery, availability, price or the app, where people order. After: all other "
        "complaints, praise and cancelling."
    ),
    "reasons": phrase("Complaints by what they are about."),
    "audience": phrase(
        "Languages of mentions and places of profiles, likely bots left out; groups of fewer "
        "than %(least)s people are not named.",
        least=LEAST_GROUP,
    ),
    "first_answer": phrase(
        "Time from a mention to the first reply to it by one of the brand's own accounts, as far "
        "as both were collected."
    ),
}


class Segment(StrEnum):
    """Who somebody is to the brand, by what they say."""

    DETRACTOR = "detractor"
    ORDINARY = "ordinary"
    PROMOTER = "promoter"


@dataclass(frozen=True, slots=True)
class Scored:
    """An author with a lead score or a churn warning, 0 to 100, and what it is made of."""

    author_id: int
    platform: str
    contact_id: int | None
    value: float | None
    score: int
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """Authors of a segment, their mentions, and the engagement that these got."""

    authors: int
    mentions: int
    engagement: int


@dataclass(frozen=True, slots=True)
class SocialFigures:
    """The figures of a window; see `DEFINITIONS`. Groups are largest first."""

    segments: Mapping[str, SegmentSize]
    leads: Sequence[Scored]
    churn: Sequence[Scored]
    journey: Mapping[str, int]
    reasons: Mapping[str, int]
    languages: Mapping[str, int]
    places: Mapping[str, int]
    first_answers: int
    median_first_answer_s: float | None


def social_figures(
    session: Session,
    brand_id: int,
    since: datetime,
    until: datetime,
    *,
    most: int = 20,
    people: FromClause | None = None,
) -> SocialFigures:
    """Return the figures of a brand's window, counted now: of many mentions that takes seconds.

    Args:
        session: The transaction.
        brand_id: The brand.
        since: Begin of the window, included.
        until: Its end, excluded.
        most: Longest list of leads, churn warnings and groups.
        people: The window's authors, where they are kept already.

    """
    if people is None:
        people = people_of(brand_id, since, until)
    answers = first_answers(session, brand_id, since, until)
    return SocialFigures(
        segments=_segments(session, people),
        leads=_ranked(session, people, lead_parts(people), most=most, is_churn=False),
        churn=_ranked(session, people, churn_parts(people), most=most, is_churn=True),
        journey=journey(session, brand_id, since, until),
        reasons=reasons(session, brand_id, since, until),
        languages=people_groups(session, brand_id, since, until, func.lower(Mention.lang), most),
        places=people_groups(session, brand_id, since, until, func.trim(Author.location), most),
        first_answers=len(answers),
        median_first_answer_s=median(answers),
    )


def _segments(session: Session, people: FromClause) -> dict[str, SegmentSize]:
    segment = case(
        (mean_of(people) < -CLEAR_MEAN, literal(Segment.DETRACTOR.value)),
        (mean_of(people) > CLEAR_MEAN, literal(Segment.PROMOTER.value)),
        else_=literal(Segment.ORDINARY.value),
    )
    rows = session.execute(
        select(
            segment,
            func.count(),
            func.sum(people.c.mentions),
            func.sum(people.c.engagement),
        )
        .where(people.c.judged > 0)
        .group_by(segment)
    )
    found = {row[0]: SegmentSize(row[1], int(row[2]), int(row[3])) for row in rows}
    return {one.value: found.get(one.value, SegmentSize(0, 0, 0)) for one in Segment}


def _points(condition: ColumnElement[bool], points: int) -> ColumnElement[int]:
    return case((condition, points), else_=0)


def must_not_be_contacted(
    author_id: ColumnElement[Any] | InstrumentedAttribute[int],
) -> ColumnElement[bool]:
    """Say whether a CRM says so of one of the contacts that an author is."""
    return exists().where(
        IdentityLink.author_id == author_id,
        IdentityLink.state == LinkState.CONFIRMED,
        Contact.id == IdentityLink.contact_id,
        Contact.deleted_at.is_(None),
        Contact.must_not_contact,
    )


def lead_parts(people: FromClause) -> dict[str, ColumnElement[int]]:
    """Return what a lead score is made of; the query has to join `Author`."""
    return {
        later("wants to buy"): _points(people.c.purchases > 0, 50),
        later("asks"): _points(people.c.questions > 0, 20),
        later("positive"): _points(mean_of(people) > 0, 10),
        later("nobody's contact yet"): _points(people.c.contact_id.is_(None), 10),
        later("followed by many"): _points(Author.followers >= 1_000, 10),  # noqa: PLR2004 - from three on alike - as defined above
        later("negative"): _points(mean_of(people) < -CLEAR_MEAN, -30),
    }


def churn_parts(people: FromClause) -> dict[str, ColumnElement[int]]:
    """Return what a churn warning is made of."""
    early = people.c.early_sum / func.nullif(people.c.early, 0)
    late = people.c.late_sum / func.nullif(people.c.late, 0)
    complaints = case((people.c.complaints > 3, 3), else_=people.c.complaints)  # noqa: PLR2004 - from three on alike
    return {
        later("wants to cancel"): _points(people.c.cancels > 0, 40),
        later("complaints"): complaints * 15,
        later("falling sentiment"): _points(early - late >= FALL, 15),
    }


def _ranked(
    session: Session,
    people: FromClause,
    parts: Mapping[str, ColumnElement[int]],
    *,
    most: int,
    is_churn: bool,
) -> list[Scored]:
    columns = [column.label(f"part_{place}") for place, column in enumerate(parts.values())]
    total: ColumnElement[int] = sum(parts.values(), start=literal(0))
    query = (
        select(
            people.c.author_id, Author.platform, people.c.contact_id, Contact.value, total, *columns
        )
        .join(Author, Author.id == people.c.author_id)
        .outerjoin(Contact, Contact.id == people.c.contact_id)
        .where(total > 0, people.c.bot < LIKELY_BOT)
        .limit(most)
    )
    if is_churn:
        query = query.where(people.c.contact_id.is_not(None)).order_by(
            func.coalesce(Contact.value, 0.0).desc(), total.desc(), people.c.author_id
        )
    else:
        # Somebody who only is friendly is no lead.
        wants = or_(people.c.purchases > 0, people.c.questions > 0)
        query = query.where(wants, ~must_not_be_contacted(people.c.author_id)).order_by(
            total.desc(), people.c.author_id
        )
    names = list(parts)
    return [
        Scored(
            author_id=row[0],
            platform=row[1],
            contact_id=row[2],
            value=row[3],
            score=max(0, min(100, int(row[4]))),
            parts={
                name: int(points) for name, points in zip(names, row[5:], strict=True) if points
            },
        )
        for row in session.execute(query)
    ]
