"""Links that a person makes without a suggestion: this author is that contact, because I know.

They are links like all others, with events and undo, under the same policy; only their evidence
is empty, and a person's word stands in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from config.any_of import any_of
from config.bulk import insert_new
from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from config.phrases import joined, phrase
from crm_link.contacts.contact_view import get_contact
from crm_link.contacts.joining import mark_records
from crm_link.enrich import queue_enrichment
from crm_link.linking.link_decisions import check_allowed, decide, hold_link
from crm_link.models import IdentityLink, LinkEvent
from crm_link.review_cases import asks_for_expectation
from crm_link.types import LinkState
from listener.models import Author

#: What a link made by hand names as its rules.
BY_HAND = "by hand"

#: What is kept with a link where the platform's terms ask for it.
EXPECTED = "would not surprise them"


def link_by_hand(
    session: Session,
    author_id: int,
    contact_id: int,
    *,
    by: str,
    clock: Clock,
    is_expected: bool = False,
) -> LinkEvent:
    """Say that an author is a contact, whether it was suggested or not; return what happened.

    Args:
        session: The transaction.
        author_id: The account.
        contact_id: The record of the CRM.
        by: Who says so.
        clock: The present.
        is_expected: The person would not be surprised: asked for where the platform's terms
            restrict linking, and kept with the decision.

    Raises:
        NotFoundError: There is no such contact or author.
        InputError: The platform's terms ask whether it would surprise them.
        ConflictError: They are linked already, or may not be.

    """
    contact = get_contact(session, contact_id)
    author = session.get(Author, author_id)
    if author is None:
        raise NotFoundError("there is no author %(author_id)s", author_id=author_id)
    if asks_for_expectation(author.platform) and not is_expected:
        raise InputError(
            "%(platform)s lets an account be linked only where its owner would "
            "expect it: say that this would not surprise them",
            platform=author.platform,
        )
    name = contact.name or contact.external_id
    check_allowed(session, author, contact, f"the link to {name}")
    now, note = clock(), EXPECTED if is_expected else ""
    row = _new_row(author_id, contact_id, by, now)
    is_new = insert_new(session, IdentityLink, [row], key=["author_id", "contact_id"]) > 0
    link_id = session.scalar(
        select(IdentityLink.id).where(
            IdentityLink.author_id == author_id, IdentityLink.contact_id == contact_id
        )
    )
    assert link_id is not None
    if not is_new:
        link = hold_link(session, link_id)
        if link.state is LinkState.CONFIRMED:
            raise ConflictError("they are linked to %(name)s already", name=name)
        return decide(session, link, LinkState.CONFIRMED, by, now, note)
    event = LinkEvent(
        link_id=link_id,
        at=now,
        actor=by,
        from_state=None,
        to_state=LinkState.CONFIRMED,
        note=joined("; ", [one for one in (phrase("by hand"), note) if one]),
    )
    session.add(event)
    session.flush()
    queue_enrichment(session, [contact_id], now=now)
    mark_records(session, [contact_id], now)
    return event


def links_of(
    session: Session, author_ids: Collection[int], *states: LinkState
) -> dict[int, list[IdentityLink]]:
    """Return the links of authors in these states with author and contact, the heaviest first."""
    found: dict[int, list[IdentityLink]] = {}
    for link in session.scalars(
        select(IdentityLink)
        .where(any_of(session, IdentityLink.author_id, author_ids), IdentityLink.state.in_(states))
        .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
        .order_by(IdentityLink.weight_bits.desc(), IdentityLink.id)
    ):
        found.setdefault(link.author_id, []).append(link)
    return found


def went_on(session: Session, decided: Mapping[int, int]) -> set[int]:
    """Return the links about which something happened since: link -> the event that was ours."""
    newest = session.execute(
        select(LinkEvent.link_id, func.max(LinkEvent.id))
        .where(any_of(session, LinkEvent.link_id, decided))
        .group_by(LinkEvent.link_id)
    )
    seen = {row[0]: row[1] for row in newest}
    return {link_id for link_id, event_id in decided.items() if seen.get(link_id) != event_id}


def _new_row(author_id: int, contact_id: int, by: str, now: datetime) -> dict[str, object]:
    return {
        "author_id": author_id,
        "contact_id": contact_id,
        "state": LinkState.CONFIRMED,
        "weight_bits": 0.0,
        "probability": None,
        "evidence": [],
        "rule_version": BY_HAND,
        "decided_by": by,
        "decided_at": now,
        "created_at": now,
        "was_withdrawn": False,
    }
