"""What people decide about links: confirm, reject, split. Each decision is one event.

Taking it back is in `crm_link.linking.link_undo`.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.clock import Clock, utc_now
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.linking.link_decisions import as_it_stands, check_allowed, decide, hold_link
from crm_link.models import IdentityLink, LinkEvent
from crm_link.types import LinkState


def suggestions(
    session: Session, *, after: int | None = None, limit: int = 50
) -> list[IdentityLink]:
    """Return links that a person should look at, newest first, with author and contact.

    Args:
        session: The transaction.
        after: The id of the last link of the page before; None for the first page.
        limit: Links on the page.

    """
    query = (
        select(IdentityLink)
        .where(IdentityLink.state == LinkState.SUGGESTED)
        .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
        .order_by(IdentityLink.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(IdentityLink.id < after)
    return list(session.scalars(query))


def history(session: Session, link_id: int) -> list[LinkEvent]:
    """Return what happened to a link, oldest first."""
    hold_link(session, link_id, is_locked=False)
    return list(
        session.scalars(
            select(LinkEvent).where(LinkEvent.link_id == link_id).order_by(LinkEvent.id)
        )
    )


def confirm(
    session: Session, link_id: int, *, by: str, clock: Clock = utc_now, note: str = ""
) -> IdentityLink:
    """Say that the author is the contact.

    Raises:
        NotFoundError: There is no such link.
        ConflictError: It is not suggested, the contact is gone, or the platform's terms
            forbid linking its authors.

    """
    link = hold_link(session, link_id)
    if link.state is not LinkState.SUGGESTED:
        raise ConflictError("%(link)s; only a suggested one is confirmed", link=as_it_stands(link))
    check_allowed(session, link.author, link.contact, phrase("link %(link_id)s", link_id=link_id))
    decide(session, link, LinkState.CONFIRMED, by, clock(), note)
    return link


def reject(
    session: Session, link_id: int, *, by: str, clock: Clock = utc_now, note: str = ""
) -> IdentityLink:
    """Say that the author is not the contact; it is never suggested again.

    Raises:
        NotFoundError: There is no such link.
        ConflictError: It is neither suggested nor confirmed.

    """
    link = hold_link(session, link_id)
    if link.state not in {LinkState.SUGGESTED, LinkState.CONFIRMED}:
        raise ConflictError("%(link)s already", link=as_it_stands(link))
    decide(session, link, LinkState.REJECTED, by, clock(), note)
    return link


def split(
    session: Session, contact_id: int, link_ids: Collection[int], *, by: str, clock: Clock = utc_now
) -> list[IdentityLink]:
    """Say that some of a contact's accounts are other people's; return their links.

    Each link is rejected, and can be taken back by itself with `undo`. The contact keeps the
    others.

    Raises:
        NotFoundError: One of them is no link of the contact.
        ConflictError: One of them is neither suggested nor confirmed.

    """
    own = set(
        session.scalars(
            select(IdentityLink.id).where(
                IdentityLink.contact_id == contact_id, IdentityLink.id.in_(set(link_ids))
            )
        )
    )
    if missing := sorted(set(link_ids) - own):
        raise NotFoundError(
            "contact %(contact_id)s has no link %(missing)s",
            contact_id=contact_id,
            missing=missing[0],
        )
    # In one order, as others hold links too.
    return [
        reject(
            session,
            link_id,
            by=by,
            clock=clock,
            note=phrase("split from contact %(contact)s", contact=contact_id),
        )
        for link_id in sorted(own)
    ]


def decided_pairs(session: Session) -> dict[int, int | None]:
    """Return what people decided, to train on: the contact of each author, None if none is it.

    An author with a confirmed link has that contact; one whose links were all rejected has
    none of them.
    """
    found: dict[int, int | None] = {}
    for author_id, contact_id, state in session.execute(
        select(IdentityLink.author_id, IdentityLink.contact_id, IdentityLink.state)
        .where(
            IdentityLink.decided_by.is_not(None),
            IdentityLink.state.in_([LinkState.CONFIRMED, LinkState.REJECTED]),
        )
        .order_by(IdentityLink.id)
    ):
        if state is LinkState.CONFIRMED:
            found[author_id] = contact_id
        else:
            found.setdefault(author_id, None)
    return found
