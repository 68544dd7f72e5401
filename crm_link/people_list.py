"""Contacts as a list, with the accounts that are theirs and how they speak."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from crm_link.contact_search import contact_matches
from crm_link.figures import CLEAR_MEAN, Segment
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Brand, Mention
from sentiment.types import Label

#: How far back a person's mentions say how they speak.
LOOKBACK = timedelta(days=90)

#: What a list may be narrowed down to: a contact has confirmed accounts, none, or some that
#: wait for a decision.
LINKED = ("yes", "no", "suggested")


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which contacts are wanted; empty means all.

    Args:
        text: Beginnings of words of name, e-mail, phone or account.
        crm: The CRM that they are in.
        tier: The tier that the CRM gives them.
        linked: One of `LINKED`.
        segment: One of `Segment`, by what they said in `LOOKBACK`.

    """

    text: str = ""
    crm: str = ""
    tier: str = ""
    linked: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """How somebody spoke in `LOOKBACK`: mentions, judged ones, their mean score."""

    mentions: int = 0
    negatives: int = 0
    judged: int = 0
    mean: float | None = None
    last_at: datetime | None = None

    @property
    def segment(self) -> Segment | None:
        """Who they are to the brand by that; None where nothing was judged."""
        return None if self.mean is None else segment_of(self.mean)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A contact with what the list shows beside it."""

    contact: Contact
    accounts: Sequence[IdentityLink]
    suggested: int
    speech: Speech


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some people, and the id before which the next ones begin; None at the end."""

    people: tuple[PersonRow, ...]
    after: int | None


def segment_of(mean: float) -> Segment:
    """Return the segment of a mean score, as `crm_link.figures` defines them."""
    if mean < -CLEAR_MEAN:
        return Segment.DETRACTOR
    return Segment.PROMOTER if mean > CLEAR_MEAN else Segment.ORDINARY


def list_people(
    session: Session,
    wanted: PeopleFilter,
    *,
    now: datetime,
    after: int | None = None,
    limit: int = 25,
) -> PeoplePage:
    """Return the contacts that are wanted, the newest first.

    Args:
        session: The transaction.
        wanted: Which.
        now: The present.
        after: The id of the last one of the page before; None for the first page.
        limit: People on the page.

    """
    query = select(Contact).where(*_conditions(session, wanted, now))
    if after is not None:
        query = query.where(Contact.id < after)
    found = session.scalars(query.order_by(Contact.id.desc()).limit(limit + 1)).all()
    rows = describe(session, found[:limit], now=now)
    return PeoplePage(rows, found[limit - 1].id if len(found) > limit else None)


def describe(
    session: Session, contacts: Sequence[Contact], *, now: datetime
) -> tuple[PersonRow, ...]:
    """Return contacts with their accounts and how they spoke, in the order given."""
    ids = [contact.id for contact in contacts]
    accounts: dict[int, list[IdentityLink]] = {}
    suggested: dict[int, int] = {}
    for link in session.scalars(
        select(IdentityLink)
        .where(
            any_of(session, IdentityLink.contact_id, ids),
            IdentityLink.state.in_((LinkState.CONFIRMED, LinkState.SUGGESTED)),
        )
        .options(joinedload(IdentityLink.author))
        .order_by(IdentityLink.weight_bits.desc(), IdentityLink.id)
    ):
        if link.state is LinkState.CONFIRMED:
            accounts.setdefault(link.contact_id, []).append(link)
        else:
            suggested[link.contact_id] = suggested.get(link.contact_id, 0) + 1
    spoke = speech_of(session, ids, since=now - LOOKBACK)
    return tuple(
        PersonRow(
            contact,
            accounts.get(contact.id, ()),
            suggested.get(contact.id, 0),
            spoke.get(contact.id, Speech()),
        )
        for contact in contacts
    )


def speech_of(
    session: Session, contact_ids: Collection[int], *, since: datetime
) -> Mapping[int, Speech]:
    """Return how these contacts spoke since a time, through their confirmed accounts."""
    rows = session.execute(
        _speech(since)
        .add_columns(
            func.count().label("mentions"),
            func.sum(case((Mention.label == Label.NEGATIVE.value, 1), else_=0)),
            func.sum(case((_is_judged(), 1), else_=0)),
            func.avg(case((_is_judged(), Mention.score))),
            func.max(Mention.published_at),
        )
        .where(any_of(session, IdentityLink.contact_id, contact_ids))
    )
    return {
        row[0]: Speech(row[1], int(row[2]), int(row[3]), _float(row[4]), row[5]) for row in rows
    }


def list_crms(session: Session) -> list[str]:
    """Return the CRMs that contacts come from: one look into an index for each."""
    return _distinct(session, Contact.crm)


def list_tiers(session: Session) -> list[str]:
    """Return the tiers that contacts have: one look into an index for each."""
    return _distinct(session, Contact.tier, Contact.deleted_at.is_(None))


def _distinct(session: Session, of: Any, *conditions: ColumnElement[bool]) -> list[str]:  # noqa: ANN401 - a column
    found: list[str] = []
    value = session.scalar(select(func.min(of)).where(of > "", *conditions))
    while value is not None:
        found.append(value)
        value = session.scalar(select(func.min(of)).where(of > value, *conditions))
    return found


def _conditions(session: Session, wanted: PeopleFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Contact.deleted_at.is_(None)]
    if (matches := contact_matches(session, wanted.text)) is not None:
        found.append(matches)
    if wanted.crm:
        found.append(Contact.crm == wanted.crm)
    if wanted.tier:
        found.append(Contact.tier == wanted.tier)
    if wanted.linked:
        state = LinkState.SUGGESTED if wanted.linked == "suggested" else LinkState.CONFIRMED
        if wanted.linked == "no":
            has_any = select(IdentityLink.id).where(
                IdentityLink.contact_id == Contact.id, IdentityLink.state == state
            )
            found.append(~has_any.exists())
        else:
            ids = select(IdentityLink.contact_id).where(IdentityLink.state == state)
            found.append(Contact.id.in_(ids))
    if wanted.segment:
        found.append(Contact.id.in_(_of_segment(Segment(wanted.segment), now - LOOKBACK)))
    return found


def _of_segment(segment: Segment, since: datetime) -> Select[Any]:
    mean = func.avg(Mention.score)
    bounds = {
        Segment.DETRACTOR: mean < -CLEAR_MEAN,
        Segment.PROMOTER: mean > CLEAR_MEAN,
        Segment.ORDINARY: mean.between(-CLEAR_MEAN, CLEAR_MEAN),
    }
    return _speech(since).where(_is_judged()).having(bounds[segment])


def _speech(since: datetime) -> Select[Any]:
    """Return the contacts whose confirmed accounts spoke since a time, drills left out."""
    return (
        select(IdentityLink.contact_id)
        .join(Mention, Mention.author_id == IdentityLink.author_id)
        .join(Brand, Brand.id == Mention.brand_id)
        .where(
            IdentityLink.state == LinkState.CONFIRMED,
            Mention.published_at >= since,
            Mention.deleted_at.is_(None),
            Brand.is_own(),
        )
        .group_by(IdentityLink.contact_id)
    )


def _is_judged() -> ColumnElement[bool]:
    return Mention.label.is_not(None) & (Mention.label != Label.UNKNOWN.value)


def _float(value: Any) -> float | None:  # noqa: ANN401 - databases give numbers of several kinds
    return None if value is None else float(value)
