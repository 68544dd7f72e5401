"""The figures of people of a window: as they were counted in advance, or counted now.

What stands in a stored list are ids and numbers. Who they are, which contact they are and whether
that one may be contacted is read when the list is shown, so that a link that was taken back, an
erased account or a wish to be left alone holds at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from crm_link.figures.audience import MOST_GROUPS, Audience, Fit, get_persona, read_audience
from crm_link.figures.counts import CHURN, LEADS
from crm_link.figures.models import FigurePerson, FigureWindow
from crm_link.figures.overview import (
    Scored,
    SegmentSize,
    SocialFigures,
    must_not_be_contacted,
    social_figures,
)
from crm_link.figures.people import linked_contact
from crm_link.figures.segment_people import Speaker, list_speakers
from crm_link.figures.windows import ASKED_GRAIN, Window, is_large
from crm_link.models import Contact
from listener.models import Author

#: How long figures may be overdue before the page says that nobody counts them.
LATE = timedelta(hours=1)

#: How long somebody waits for figures before the page says so.
LONG_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a window of a brand, each when it is asked for.

    Args:
        since: Begin of the window, included.
        until: Its end, excluded.
        counted_at: When they were counted.
        is_late: They are older than they should be.
        is_to_ask: Nobody has asked for this window lately: it is about to be forgotten.

    """

    session: Session
    brand_id: int
    since: datetime
    until: datetime
    counted_at: datetime
    is_late: bool = False
    is_to_ask: bool = False
    stored: FigureWindow | None = None

    def social(self, *, most: int = 20) -> SocialFigures:
        """Return segments, leads and what else `SocialFigures` has; lists of at most `most`."""
        if self.stored is None:
            return social_figures(self.session, self.brand_id, self.since, self.until, most=most)
        return _stored_social(self.session, self.stored, most)

    def speakers(self, group: str, *, limit: int = 20) -> list[Speaker]:
        """Return the people of one of `GROUPS`: the most engagement (or reach) first."""
        if self.stored is None:
            return list_speakers(
                self.session, self.brand_id, self.since, self.until, group, limit=limit
            )
        return _stored_speakers(self.session, self.stored, group, limit)

    def audience(self) -> Audience:
        """Return who speaks, against whom the brand wants to reach."""
        if self.stored is None:
            return read_audience(self.session, self.brand_id, self.since, self.until)
        return _stored_audience(self.session, self.stored)


def find_figures(session: Session, brand_id: int, window: Window, now: datetime) -> Figures | None:
    """Return a window's figures; None while they are still to be counted in advance.

    Whoever gets None asks for the window (`crm_link.figures.windows.ask_window`).
    """
    stored = _find_stored(session, brand_id, window)
    if stored is not None and stored.counted_at is not None:
        return Figures(
            session,
            brand_id,
            stored.since,
            stored.until,
            stored.counted_at,
            is_late=now - stored.due_at > LATE,
            is_to_ask=stored.asked_at is not None and now - stored.asked_at > ASKED_GRAIN,
            stored=stored,
        )
    if is_large(session, brand_id, window):
        return None
    return Figures(session, brand_id, window.since, window.until, now)


def waits_since(session: Session, brand_id: int, window: Window) -> datetime | None:
    """Return since when a window waits to be counted; None where it was not asked for yet."""
    stored = _find_stored(session, brand_id, window)
    return None if stored is None else stored.asked_at


def _find_stored(session: Session, brand_id: int, window: Window) -> FigureWindow | None:
    return session.scalar(
        select(FigureWindow).where(
            FigureWindow.brand_id == brand_id, FigureWindow.name == window.name
        )
    )


def _stored_social(session: Session, stored: FigureWindow, most: int) -> SocialFigures:
    sums = stored.sums
    return SocialFigures(
        segments={name: SegmentSize(**size) for name, size in sums["segments"].items()},
        leads=_scored(session, stored, LEADS, most),
        churn=_scored(session, stored, CHURN, most),
        journey=dict(sums["journey"]),
        reasons=dict(sums["reasons"]),
        languages=_groups(sums, "languages", most),
        places=_groups(sums, "places", most),
        first_answers=sums["first_answers"],
        median_first_answer_s=sums["median_first_answer_s"],
    )


def _stored_audience(session: Session, stored: FigureWindow) -> Audience:
    sums = stored.sums
    persona = get_persona(session, stored.brand_id)
    known = {(kind, wanted): (people, share) for kind, wanted, people, share in sums["fits"]}
    wanted = (
        []
        if persona is None
        else [
            (kind, word)
            for kind in ("languages", "places", "interests")
            for word in getattr(persona, kind)
        ]
    )
    return Audience(
        people=sums["people"],
        with_bio=sums["with_bio"],
        with_place=sums["with_place"],
        languages=_groups(sums, "languages", MOST_GROUPS),
        places=_groups(sums, "places", MOST_GROUPS),
        interests=dict(sums["interests"]),
        fits=[Fit(*one, *known.get(one, (None, None)), is_counted=one in known) for one in wanted],
    )


def _groups(sums: Mapping[str, Any], name: str, most: int) -> dict[str, int]:
    return dict(sums[name][:most])


def _people(stored: FigureWindow, listing: str, most: int, *columns: Any) -> Select[Any]:  # noqa: ANN401
    return (
        select(*columns)
        .select_from(FigurePerson)
        .join(Author, Author.id == FigurePerson.author_id)
        .where(FigurePerson.window_id == stored.id, FigurePerson.listing == listing)
        .order_by(FigurePerson.place)
        .limit(most)
    )


def _scored(session: Session, stored: FigureWindow, listing: str, most: int) -> list[Scored]:
    contact_id = linked_contact(FigurePerson.author_id)
    query = _people(
        stored,
        listing,
        most,
        Author.id,
        Author.platform,
        contact_id,
        Contact.value,
        FigurePerson.parts,
    ).outerjoin(Contact, Contact.id == contact_id)
    if listing == CHURN:
        query = query.where(contact_id.is_not(None))
    else:
        query = query.where(~must_not_be_contacted(FigurePerson.author_id))
    found = []
    for author_id, platform, contact, value, listed in session.execute(query):
        parts = {one["name"]: int(one["points"]) for one in listed}
        score = max(0, min(100, sum(parts.values())))
        found.append(Scored(author_id, platform, contact, value, score, parts))
    return found


def _stored_speakers(
    session: Session, stored: FigureWindow, group: str, limit: int
) -> list[Speaker]:
    contact_id = linked_contact(FigurePerson.author_id)
    query = _people(
        stored,
        group,
        limit,
        Author.id,
        Author.platform,
        Author.handle,
        Author.name,
        Author.followers,
        FigurePerson.mentions,
        FigurePerson.mean,
        FigurePerson.engagement,
        Author.followers * FigurePerson.mentions,
        Contact.id,
        Contact.name,
        Contact.tier,
        Contact.value,
    ).outerjoin(Contact, (Contact.id == contact_id) & Contact.deleted_at.is_(None))
    return [Speaker(*row) for row in session.execute(query)]
