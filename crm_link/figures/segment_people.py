"""The people behind a segment: who they are, what they said, who in the CRM they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.orm import Session

from config.any_of import any_of
from config.phrases import phrase
from crm_link.board.tables import Table
from crm_link.figures.groups import LIKELY_BOT
from crm_link.figures.overview import CLEAR_MEAN, Scored, Segment
from crm_link.figures.people import mean_of, people_of
from crm_link.models import Contact
from listener.models import Author

#: The group of those whom many follow.
INFLUENTIAL = "influential"

#: Groups whose people can be listed.
GROUPS = (*(one.value for one in Segment), INFLUENTIAL)

#: What `influential` means; the others are in `crm_link.figures.overview.DEFINITIONS`.
INFLUENTIAL_WORDS = phrase(
    "Authors by what they could reach: followers times mentions in the window, likely bots left "
    "out. Where a platform gives no followers, nobody of it is listed."
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """An author of the window.

    Args:
        mean: Mean score of the judged mentions, -1 to +1; 0 where none was.
        engagement: Likes, reposts and replies that the mentions got.
        reach: Followers times mentions; None where the platform gives no followers.
        contact_id: The contact that the author is confirmed to be.

    """

    author_id: int
    platform: str
    handle: str | None
    name: str | None
    followers: int | None
    mentions: int
    mean: float
    engagement: int
    reach: int | None
    contact_id: int | None
    contact_name: str | None
    tier: str | None
    value: float | None


def list_speakers(
    session: Session,
    brand_id: int,
    since: datetime,
    until: datetime,
    group: str,
    *,
    limit: int = 20,
    people: FromClause | None = None,
) -> list[Speaker]:
    """Return the people of a group, found now: those with the most engagement (or reach) first.

    Args:
        session: The transaction.
        brand_id: The brand.
        since: Begin of the window, included.
        until: Its end, excluded.
        group: One of `GROUPS`.
        limit: How many.
        people: The window's authors, where they are kept already.

    """
    if people is None:
        people = people_of(brand_id, since, until)
    reach: ColumnElement[Any] = Author.followers * people.c.mentions
    query = (
        select(
            Author.id,
            Author.platform,
            Author.handle,
            Author.name,
            Author.followers,
            people.c.mentions,
            mean_of(people),
            people.c.engagement,
            reach,
            Contact.id,
            Contact.name,
            Contact.tier,
            Contact.value,
        )
        .select_from(people)
        .join(Author, Author.id == people.c.author_id)
        .outerjoin(Contact, (Contact.id == people.c.contact_id) & Contact.deleted_at.is_(None))
        .where(people.c.bot < LIKELY_BOT)
        .limit(limit)
    )
    if group == INFLUENTIAL:
        query = query.where(Author.followers > 0).order_by(reach.desc(), Author.id)
    else:
        query = query.where(people.c.judged > 0, _is_of(people, Segment(group))).order_by(
            people.c.engagement.desc(), people.c.mentions.desc(), Author.id
        )
    return [
        Speaker(
            author_id=row[0],
            platform=row[1],
            handle=row[2],
            name=row[3],
            followers=row[4],
            mentions=int(row[5]),
            mean=float(row[6]),
            engagement=int(row[7] or 0),
            reach=row[8],
            contact_id=row[9],
            contact_name=row[10],
            tier=row[11],
            value=row[12],
        )
        for row in session.execute(query)
    ]


def speakers_table(people: Sequence[Speaker]) -> Table:
    """Return people as a table."""
    return Table(
        header=(
            *("author_id", "platform", "handle", "name", "followers", "mentions", "mean_score"),
            *("engagement", "reach", "contact_id", "contact", "tier", "value"),
        ),
        rows=tuple(
            (
                *(one.author_id, one.platform, one.handle, one.name, one.followers),
                *(one.mentions, one.mean, one.engagement, one.reach),
                *(one.contact_id, one.contact_name, one.tier, one.value),
            )
            for one in people
        ),
    )


def scored_table(people: Sequence[Scored], names: Mapping[int, Names]) -> Table:
    """Return leads or churn warnings as a table, with what each score is made of."""
    return Table(
        header=(
            "author_id",
            "platform",
            "account",
            "contact_id",
            "contact",
            "value",
            "score",
            "parts",
            "do_not_contact",
        ),
        rows=tuple(
            (
                one.author_id,
                one.platform,
                names[one.author_id].account,
                one.contact_id,
                names[one.author_id].contact,
                one.value,
                one.score,
                "; ".join(f"{name} {points:+}" for name, points in one.parts.items()),
                "yes" if names[one.author_id].do_not_contact else "",
            )
            for one in people
        ),
    )


@dataclass(frozen=True, slots=True)
class Names:
    """How an author and the contact behind it are called."""

    account: str
    contact: str | None
    tier: str | None
    do_not_contact: bool = False


def names_of(session: Session, people: Sequence[Scored]) -> dict[int, Names]:
    """Return how the authors of scores are called, by author."""
    contacts = {
        row.id: row
        for row in session.execute(
            select(
                Contact.id,
                Contact.name,
                Contact.external_id,
                Contact.tier,
                Contact.must_not_contact,
            ).where(
                any_of(session, Contact.id, {one.contact_id for one in people if one.contact_id})
            )
        )
    }
    accounts: dict[int, str] = {
        row[0]: row[1]
        for row in session.execute(
            select(Author.id, func.coalesce(Author.handle, Author.name, Author.external_id)).where(
                any_of(session, Author.id, {one.author_id for one in people})
            )
        )
    }
    found = {}
    for one in people:
        contact = contacts.get(one.contact_id) if one.contact_id is not None else None
        found[one.author_id] = Names(
            accounts.get(one.author_id, ""),
            None if contact is None else contact.name or contact.external_id,
            None if contact is None else contact.tier,
            contact is not None and contact.must_not_contact,
        )
    return found


def _is_of(people: FromClause, segment: Segment) -> ColumnElement[bool]:
    mean = mean_of(people)
    return {
        Segment.DETRACTOR: mean < -CLEAR_MEAN,
        Segment.PROMOTER: mean > CLEAR_MEAN,
        Segment.ORDINARY: mean.between(-CLEAR_MEAN, CLEAR_MEAN),
    }[segment]
