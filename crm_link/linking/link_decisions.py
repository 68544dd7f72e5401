"""What every decision of a person about a link does: the link held, the rules asked, one event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.errors import ConflictError, NotFoundError
from config.phrases import Moment, phrase
from crm_link.contacts.joining import mark_records
from crm_link.context import load_context
from crm_link.enrich import queue_enrichment
from crm_link.models import Contact, IdentityLink, LinkEvent
from crm_link.policy import may_link
from crm_link.refusals import consents_of, refused_among
from crm_link.types import LinkState
from listener.models import Author

#: How the note of an event begins that takes another one back.
UNDOES = "undoes event "


def hold_link(session: Session, link_id: int, *, is_locked: bool = True) -> IdentityLink:
    """Return a link with author and contact, held until the transaction ends."""
    query = (
        select(IdentityLink)
        .where(IdentityLink.id == link_id)
        .options(joinedload(IdentityLink.author), joinedload(IdentityLink.contact))
    )
    if is_locked:
        # What stands is read anew: somebody else may have been faster.
        query = query.with_for_update(of=IdentityLink).execution_options(populate_existing=True)
    link = session.scalar(query)
    if link is None:
        raise NotFoundError("there is no link %(link_id)s", link_id=link_id)
    return link


def as_it_stands(link: IdentityLink) -> str:
    """Say what a link is, and who was faster."""
    if not link.decided_by:
        return phrase("link %(link_id)s is %(state)s", link_id=link.id, state=link.state)
    return phrase(
        "link %(link_id)s is %(state)s by %(who)s at %(time)s",
        link_id=link.id,
        state=link.state,
        who=link.decided_by,
        time=Moment(link.decided_at) if link.decided_at else "?",
    )


def check_allowed(session: Session, author: Author, contact: Contact, name: str) -> None:
    """Refuse a link that may not be, whoever wants it; `name` is what it is called.

    Raises:
        ConflictError: The contact or the account is gone, they opted out, or the platform's
            terms forbid it.

    """
    if contact.deleted_at is not None:
        raise ConflictError("the contact of %(name)s is gone from the CRM", name=name)
    if author.gone_reason is not None:
        raise ConflictError(
            "the account of %(name)s is %(gone_reason)s", name=name, gone_reason=author.gone_reason
        )
    context = load_context()
    if refused_among(session, [(author.id, contact.id)], context):
        raise ConflictError("%(name)s is not allowed: opted out (docs/linking.md)", name=name)
    verdict = may_link(
        author.platform,
        contact.relationship_source,
        consents=consents_of(session, [contact.id]).get(contact.id, ()),
        table=context.table,
    )
    if not verdict.is_allowed:
        raise ConflictError(
            "%(name)s is not allowed: %(rule)s (docs/linking.md)", name=name, rule=verdict.rule
        )


def decide(
    session: Session,
    link: IdentityLink,
    state: LinkState,
    by: str,
    now: datetime,
    note: str,
    *,
    is_undo: bool = False,
) -> LinkEvent:
    """Give a link the state that a person says, with its event; return the event."""
    if note.startswith(UNDOES) and not is_undo:
        note = f"note: {note}"
    before = link.state
    link.state = state
    link.decided_by = by
    link.decided_at = now
    event = LinkEvent(
        link_id=link.id, at=now, actor=by, from_state=before, to_state=state, note=note
    )
    session.add(event)
    session.flush()
    if LinkState.CONFIRMED in {before, state} and before is not state:
        queue_enrichment(session, [link.contact_id], now=now)
        # An account that is confirmed to be two records makes them one person's.
        mark_records(session, [link.contact_id], now)
    return event
