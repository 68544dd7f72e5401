"""Who is behind mentions: the contacts that their authors are confirmed to be."""

from __future__ import annotations

from collections.abc import Sequence

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
