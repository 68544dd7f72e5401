"""Who is behind mentions: the contacts that their authors are confirmed to be."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.models import Mention


def people_behind(session: Session, mentions: Sequence[Mention]) -> dict[int, Contact]:
    """Return the contacts of these mentions' authors, by author; most authors have none."""
    authors = {mention.author_id for mention in mentions if mention.author_id is not None}
    rows = session.execute(
        select(IdentityLink.author_id, Contact)
        .join(IdentityLink.contact)
        .where(
            IdentityLink.author_id.in_(authors),
            IdentityLink.state == LinkState.CONFIRMED,
            Contact.deleted_at.is_(None),
        )
        .order_by(IdentityLink.weight_bits)
    )
    # Where several are confirmed, the heaviest link comes last and stays.
    return {row.author_id: row.Contact for row in rows}


class Standing(StrEnum):
    """What a contact is to us."""

    CUSTOMER = "customer"
    LEAD = "lead"
    CONTACT = "contact"  # the CRM does not say


#: Tiers that CRMs give people who have not bought yet, HubSpot's lifecycle stages among them;
#: in lower case, without spaces.
_LEADS = frozenset(
    {
        "lead",
        "prospect",
        "subscriber",
        "marketingqualifiedlead",
        "salesqualifiedlead",
        "mql",
        "sql",
        "opportunity",
        "trial",
    }
)


def standing_of(contact: Contact) -> Standing:
    """Return what a contact is to us, by the tier and value that the CRM gives them."""
    tier = (contact.tier or "").lower().replace(" ", "").replace("_", "")
    if tier in _LEADS:
        return Standing.LEAD
    if tier or contact.value:
        return Standing.CUSTOMER
    return Standing.CONTACT
