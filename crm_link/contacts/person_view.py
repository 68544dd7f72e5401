"""Everything that is known of one contact: the CRM's record, accounts, mentions, cases, consent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from config.errors import ConflictError
from crm_link.contacts.contact_view import get_contact
from crm_link.contacts.people_list import LOOKBACK, Speech, speech_of
from crm_link.context import load_context
from crm_link.escalation.models import BURST, Incident
from crm_link.figures.person_figures import PersonFigures, person_figures
from crm_link.linking.due import AnyRow
from crm_link.linking.link_undo import Undone, preview_undo
from crm_link.linking.matching_models import ContactConsent
from crm_link.linking.twins import Twin, twins_of
from crm_link.models import Contact, Flag, FlagStatus, IdentityLink, LinkEvent
from crm_link.policy import may_link
from crm_link.refusals import consents_of, list_consents
from crm_link.types import LinkState
from crm_link.withdrawals import withdrawn_elsewhere
from listener.models import Brand, Mention
from sentiment.types import Label

#: Weeks of the curve of a person's sentiment, the one that runs included.
WEEKS = 26

#: Mentions that the curve is drawn from at most, the newest ones.
MOST_FOR_CURVE = 5_000

#: Mentions, cases and incidents that are shown.
MOST_MENTIONS = 12
MOST_CASES = 10


@dataclass(frozen=True, slots=True)
class Account:
    """An account that is, may be or was taken for the contact's.

    Args:
        link: The claim, with its author.
        events: What happened to it, oldest first.
        undo: What taking the last decision back would change; None: nothing can be.
        rule: Which rule of the platform's policy allows the link, or does not.
        is_allowed: Whether it does.
        mentions: What the account said in the last 90 days.

    """

    link: IdentityLink
    events: Sequence[LinkEvent]
    undo: Undone | None
    rule: str
    is_allowed: bool
    mentions: int

    @property
    def is_record_changed(self) -> bool:
        """Whether rejecting it takes something out of the CRM's record."""
        return self.link.state is LinkState.CONFIRMED


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a person's mentions; `mean` of the judged ones, -1 to +1."""

    begins_at: datetime
    negative: int
    neutral: int
    positive: int
    mean: float | None

    @property
    def mentions(self) -> int:
        """All judged mentions of the week."""
        return self.negative + self.neutral + self.positive


@dataclass(frozen=True, slots=True)
class PersonView:
    """A contact with what belongs to it; what is of the past comes last.

    `withdrawn` has the consents that count no more, and the record in which they were taken back.
    """

    contact: Contact
    accounts: Sequence[Account]
    speech: Speech
    figures: PersonFigures
    weeks: Sequence[Week]
    mentions: Sequence[Mention]
    cases: Sequence[Flag]
    incidents: Sequence[Incident]
    consents: Sequence[ContactConsent]
    withdrawn: Mapping[int, AnyRow]
    twins: Sequence[Twin]

    @property
    def barred_by(self) -> list[Contact]:
        """The person's records that say: do not contact; this one first."""
        records = [self.contact, *(one.contact for one in self.twins if one.is_same)]
        return [one for one in records if one.do_not_contact]

    @property
    def may_be_barred_by(self) -> list[Contact]:
        """Records that say so and may be the same person's: a person has to look."""
        return [
            one.contact
            for one in self.twins
            if not one.is_same and one.decided_by is None and one.contact.do_not_contact
        ]


def view_person(session: Session, contact_id: int, *, now: datetime) -> PersonView:
    """Return a contact with everything around it.

    Raises:
        NotFoundError: The CRM has no such contact (any more).

    """
    contact = get_contact(session, contact_id)
    links = session.scalars(
        select(IdentityLink)
        .where(IdentityLink.contact_id == contact_id)
        .options(joinedload(IdentityLink.author))
    ).all()
    ordered = sorted(links, key=lambda one: (_STATES_SHOWN.index(one.state), -one.weight_bits))
    author_ids = [one.author_id for one in links if one.state is LinkState.CONFIRMED]
    mentions = _mentions(session, author_ids, MOST_MENTIONS)
    return PersonView(
        contact=contact,
        accounts=_accounts(session, contact, ordered, now),
        speech=speech_of(session, [contact_id], since=now - LOOKBACK).get(contact_id, Speech()),
        figures=person_figures(
            session, author_ids, may_contact=not contact.must_not_contact, now=now
        ),
        weeks=weeks_of(session, author_ids, now=now),
        mentions=mentions,
        cases=_cases(session, author_ids),
        incidents=_incidents(session, author_ids, now),
        consents=list_consents(session, contact_id),
        withdrawn=withdrawn_elsewhere(session, [contact_id]).get(contact_id, {}),
        twins=twins_of(session, contact),
    )


#: Accounts are shown in this order.
_STATES_SHOWN = (
    LinkState.CONFIRMED,
    LinkState.SUGGESTED,
    LinkState.REJECTED,
    LinkState.WITHDRAWN,
)


def weeks_of(session: Session, author_ids: Sequence[int], *, now: datetime) -> list[Week]:
    """Return the last `WEEKS` weeks of what these authors said, oldest first."""
    first = _monday(now) - timedelta(weeks=WEEKS - 1)
    rows = session.execute(
        select(Mention.published_at, Mention.label, Mention.score)
        .join(Brand, Brand.id == Mention.brand_id)
        .where(
            any_of(session, Mention.author_id, author_ids),
            Mention.published_at >= first,
            Mention.published_at <= now,
            Mention.deleted_at.is_(None),
            Mention.label.in_((Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)),
            Brand.is_own(),
        )
        .order_by(Mention.published_at.desc())
        .limit(MOST_FOR_CURVE)
    ).all()
    counts: Counter[tuple[datetime, str]] = Counter()
    sums: dict[datetime, float] = defaultdict(float)
    for row in rows:
        monday = _monday(row.published_at)
        counts[monday, row.label] += 1
        sums[monday] += row.score or 0.0
    found = []
    for number in range(WEEKS):
        begins_at = first + timedelta(weeks=number)
        negative, neutral, positive = (
            counts[begins_at, label] for label in ("negative", "neutral", "positive")
        )
        whole = negative + neutral + positive
        mean = sums[begins_at] / whole if whole else None
        found.append(Week(begins_at, negative, neutral, positive, mean))
    return found


def _monday(moment: datetime) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _accounts(
    session: Session, contact: Contact, links: Sequence[IdentityLink], now: datetime
) -> list[Account]:
    context = load_context()
    consents = consents_of(session, [contact.id]).get(contact.id, ())
    events: dict[int, list[LinkEvent]] = {}
    for event in session.scalars(
        select(LinkEvent)
        .where(any_of(session, LinkEvent.link_id, [link.id for link in links]))
        .order_by(LinkEvent.id)
    ):
        events.setdefault(event.link_id, []).append(event)
    said: Counter[int] = Counter(
        session.scalars(
            select(Mention.author_id).where(
                any_of(session, Mention.author_id, [link.author_id for link in links]),
                Mention.published_at >= now - LOOKBACK,
                Mention.deleted_at.is_(None),
            )
        )
    )
    found = []
    for link in links:
        verdict = may_link(
            link.author.platform,
            contact.relationship_source,
            consents=consents,
            table=context.table,
        )
        found.append(
            Account(
                link,
                events.get(link.id, ()),
                _undo(session, link.id),
                verdict.rule,
                verdict.is_allowed,
                said[link.author_id],
            )
        )
    return found


def _undo(session: Session, link_id: int) -> Undone | None:
    try:
        return preview_undo(session, link_id)
    except ConflictError:
        return None


def _mentions(session: Session, author_ids: Sequence[int], most: int) -> Sequence[Mention]:
    return session.scalars(
        select(Mention)
        .join(Mention.brand)
        .where(any_of(session, Mention.author_id, author_ids), Brand.is_own())
        .options(joinedload(Mention.author), joinedload(Mention.brand))
        .order_by(Mention.published_at.desc(), Mention.id.desc())
        .limit(most)
    ).all()


def _cases(session: Session, author_ids: Sequence[int]) -> Sequence[Flag]:
    return session.scalars(
        select(Flag)
        .join(Flag.mention)
        .where(any_of(session, Mention.author_id, author_ids), Flag.status == FlagStatus.OPEN)
        .options(joinedload(Flag.mention).joinedload(Mention.brand))
        .order_by(Flag.urgency.desc(), Flag.published_at.desc())
        .limit(MOST_CASES)
    ).all()


def _incidents(session: Session, author_ids: Sequence[int], now: datetime) -> Sequence[Incident]:
    """Return the open incidents that posts of these authors belong to, by brand and topic."""
    said = (
        select(Mention.id)
        .where(
            any_of(session, Mention.author_id, author_ids),
            Mention.brand_id == Incident.brand_id,
            Mention.topic == Incident.topic,
            Mention.published_at >= now - LOOKBACK,
        )
        .correlate(Incident)
    )
    return session.scalars(
        select(Incident)
        .where(Incident.open_key.is_not(None), Incident.kind == BURST, said.exists())
        .order_by(Incident.opened_at.desc())
        .limit(MOST_CASES)
    ).all()
