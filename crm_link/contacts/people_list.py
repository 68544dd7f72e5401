"""Contacts as a list, with the accounts that are theirs and how they speak."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from config.distinct import distinct_values
from crm_link.contacts.contact_search import contact_matches
from crm_link.figures.overview import CLEAR_MEAN, Segment
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Brand, Mention
from sentiment.types import Label

#: How far back a person's mentions say how they speak.
LOOKBACK = timedelta(days=90)

#: Contacts whose mentions the steps of a search by segment read for one page: most pages are
#: full after the first, and a segment of hardly anybody is searched through page by page.
STEPS = (256, 1_024)

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
    """Some people, and the id before which the next ones begin; None at the end.

    Args:
        is_cut: The page ends because so many contacts were looked at, not because it is full.

    """

    people: tuple[PersonRow, ...]
    after: int | None
    is_cut: bool = False


def segment_of(mean: float) -> Segment:
    """Return the segment of a mean score, as `crm_link.figures.overview` defines them."""
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
    query = select(Contact).where(*_conditions(session, wanted)).order_by(Contact.id.desc())
    if after is not None:
        query = query.where(Contact.id < after)
    searched_to = None
    if wanted.segment:
        segment = Segment(wanted.segment)
        ids, searched_to = _of_segment(session, query, segment, now - LOOKBACK, limit + 1)
        query = query.where(any_of(session, Contact.id, ids))
    found = session.scalars(query.limit(limit + 1)).all()
    rows = describe(session, found[:limit], now=now)
    after = found[limit - 1].id if len(found) > limit else searched_to
    return PeoplePage(rows, after, is_cut=searched_to is not None)


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
    return sorted(session.scalars(_crms()))


@cache
def _crms() -> Select[tuple[str]]:
    return distinct_values(Contact.crm)


def list_tiers(session: Session) -> list[str]:
    """Return the tiers that contacts have: one look into an index for each."""
    return sorted(session.scalars(_tiers()))


@cache
def _tiers() -> Select[tuple[str]]:
    return distinct_values(Contact.tier, Contact.deleted_at.is_(None))


def _conditions(session: Session, wanted: PeopleFilter) -> list[ColumnElement[bool]]:
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
    return found


def _of_segment(
    session: Session, query: Select[Contact], segment: Segment, since: datetime, limit: int
) -> tuple[list[int], int | None]:
    """Return the first contacts of a list who are of a segment, and how far it was searched.

    What everybody said is not read: the list is walked in steps until the page is full, or so
    many were looked at that the rest is for the next page. None: it was searched to its end, or
    the page is full.
    """
    mean = func.avg(Mention.score)
    bounds = {
        Segment.DETRACTOR: mean < -CLEAR_MEAN,
        Segment.PROMOTER: mean > CLEAR_MEAN,
        Segment.ORDINARY: mean.between(-CLEAR_MEAN, CLEAR_MEAN),
    }
    confirmed = select(IdentityLink.contact_id).where(IdentityLink.state == LinkState.CONFIRMED)
    ids = query.with_only_columns(Contact.id).where(Contact.id.in_(confirmed))
    found: list[int] = []
    last: int | None = None
    for size in STEPS:
        rest = ids if last is None else ids.where(Contact.id < last)
        step = list(session.scalars(rest.limit(size)))
        if step:
            spoke = _speech(since).where(
                _is_judged(), any_of(session, IdentityLink.contact_id, step)
            )
            are = set(session.scalars(spoke.having(bounds[segment])))
            found += [one for one in step if one in are]
        if len(step) < size or len(found) >= limit:
            return found[:limit], None
        last = step[-1]
    return found, last


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
