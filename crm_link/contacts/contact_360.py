"""A contact beside one of their mentions: accounts, sentiment by week, open cases, consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from crm_link.contacts.contact_view import confirmed_links
from crm_link.contacts.person_view import Week, weeks_of
from crm_link.linking.due import AnyRow
from crm_link.linking.matching_models import ContactConsent
from crm_link.models import Contact, Flag, FlagStatus, IdentityLink
from crm_link.refusals import list_consents
from crm_link.withdrawals import withdrawn_elsewhere
from listener.models import Mention

#: Open cases that are shown beside a mention.
MOST_CASES = 5


@dataclass(frozen=True, slots=True)
class Contact360:
    """Who somebody is to us.

    Args:
        contact: The record.
        accounts: Their confirmed accounts, on all platforms.
        weeks: Sentiment of what they said through these, by week.
        cases: Their other mentions that are open in the queue, what is due first.
        consents: What they agreed to; those taken back too.
        withdrawn: The consents that count no more, with the record in which they were taken back.

    """

    contact: Contact
    accounts: Sequence[IdentityLink]
    weeks: Sequence[Week]
    cases: Sequence[Flag]
    consents: Sequence[ContactConsent]
    withdrawn: Mapping[int, AnyRow]

    @property
    def judged(self) -> int:
        """Mentions that the weeks count."""
        return sum(week.mentions for week in self.weeks)


def view_contact_360(
    session: Session, contact: Contact, *, now: datetime, beside: int
) -> Contact360:
    """Return who a contact is to us; the mention `beside` is left out of their cases."""
    accounts = confirmed_links(session, contact.id)
    author_ids = [link.author_id for link in accounts]
    # Looked up first: PostgreSQL would walk the whole queue until it has found a few of them.
    theirs = select(Mention.id).where(any_of(session, Mention.author_id, author_ids))
    cases = session.scalars(
        select(Flag)
        .where(
            Flag.mention_id.in_(select(theirs.cte().prefix_with("MATERIALIZED"))),
            Flag.status == FlagStatus.OPEN,
            Flag.mention_id != beside,
        )
        .options(joinedload(Flag.mention).joinedload(Mention.brand))
        .order_by(Flag.due_at, Flag.rank, Flag.mention_id)
        .limit(MOST_CASES)
    ).all()
    return Contact360(
        contact=contact,
        accounts=accounts,
        weeks=weeks_of(session, author_ids, now=now),
        cases=cases,
        consents=list_consents(session, contact.id),
        withdrawn=withdrawn_elsewhere(session, [contact.id]).get(contact.id, {}),
    )
