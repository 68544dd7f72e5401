"""Why an incident was raised, with the texts and names that its ids stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from crm_link.escalation.incidents import get_incident
from crm_link.escalation.models import Incident
from crm_link.escalation.reasons.why import Why, explain_incident, find_stored, summarise_why
from crm_link.models import Contact
from listener.models import Author, Mention


@dataclass(frozen=True, slots=True)
class WhyView:
    """What is known about the reasons, for people to read.

    Args:
        incident: The incident.
        now: What `why.explain` finds by now.
        opening: What it found when the incident opened; None for one that is older.
        summary: The short form that messages carry.
        first_posts: The posts that began it; deleted ones are left out.
        top_posts: Those that reach most people.
        people: Contacts among the authors, with how many posts they wrote.
        authors: Everybody who is named by an id, by the id.

    """

    incident: Incident
    now: Why
    opening: Why | None
    summary: str
    first_posts: Sequence[Mention]
    top_posts: Sequence[Mention]
    people: Sequence[tuple[Contact, int]]
    authors: Mapping[int, Author]

    def author_name(self, author_id: int) -> str:
        """Return by what an account is known on its platform."""
        author = self.authors.get(author_id)
        return (author.handle or author.name or "unnamed") if author else "gone"


def view_why(session: Session, incident_id: int, *, now: datetime) -> WhyView:
    """Return why an incident was raised, worked out anew.

    Raises:
        NotFoundError: There is no such incident.

    """
    incident = get_incident(session, incident_id)
    why = explain_incident(session, incident, now)
    people = {
        contact.id: contact
        for contact in session.scalars(
            select(Contact).where(
                Contact.id.in_([one["contact_id"] for one in why["people"]]),
                Contact.deleted_at.is_(None),
            )
        )
    }
    named = [one["author_id"] for one in (*why["top_authors"], *why["coordination"]["nodes"])]
    return WhyView(
        incident=incident,
        now=why,
        opening=find_stored(session, incident_id),
        summary=summarise_why(why),
        first_posts=_mentions(session, why["first_posts"]),
        top_posts=_mentions(session, why["top_posts"]),
        people=[
            (people[one["contact_id"]], one["posts"])
            for one in why["people"]
            if one["contact_id"] in people
        ],
        authors={
            author.id: author
            for author in session.scalars(select(Author).where(Author.id.in_(set(named))))
        },
    )


def _mentions(session: Session, ids: Iterable[int]) -> list[Mention]:
    wanted = list(ids)
    found = {
        mention.id: mention
        for mention in session.scalars(
            select(Mention)
            .options(joinedload(Mention.author), joinedload(Mention.brand))
            .where(Mention.id.in_(wanted), Mention.deleted_at.is_(None))
        )
    }
    return [found[one] for one in wanted if one in found]
