"""What people decide about links: confirm, reject, split, undo. Each decision is one event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.clock import Clock, utc_now
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.context import load_context
from crm_link.enrich import queue_enrichment
from crm_link.joining import mark_records
from crm_link.link_changes import SYSTEM
from crm_link.models import Contact, IdentityLink, LinkEvent
from crm_link.policy import may_link
from crm_link.refusals import consents_of, refused_among
from crm_link.types import LinkState
from listener.models import Author

_UNDOES = "undoes event "


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo changed, or would change.

    Args:
        link_id: The link.
        event_id: The decision that is taken back.
        from_state: The state that the decision had made.
        to_state: The state that the link has again.
        is_record_cleared: The link was confirmed: the contact's CRM fields lose this author.
        is_record_written: The link is confirmed again: they get this author.

    """

    link_id: int
    event_id: int
    from_state: LinkState
    to_state: LinkState
    is_record_cleared: bool
    is_record_written: bool


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
        raise ConflictError("%(link)s; only a suggested one is confirmed", link=_as_it_stands(link))
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
        raise ConflictError("%(link)s already", link=_as_it_stands(link))
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


def preview_undo(session: Session, link_id: int) -> Undone:
    """Return what `undo` would change, and change nothing.

    Raises:
        NotFoundError: There is no such link.
        ConflictError: Nothing is left to be undone.

    """
    return _undone(session, hold_link(session, link_id, is_locked=False))


def undo(session: Session, link_id: int, *, by: str, clock: Clock = utc_now) -> Undone:
    """Take the last decision on a link back, and say what that changes.

    A decision of ours can be taken back too; taking back its first one withdraws the link.
    Undoing again takes back the decision before. The person stands behind the state that
    comes back: it is not changed by the same evidence.

    Raises:
        NotFoundError: There is no such link.
        ConflictError: Nothing is left to be undone, or what would come back rests on
            evidence that is gone.

    """
    link = hold_link(session, link_id)
    undone = _undone(session, link)
    if undone.to_state in {LinkState.SUGGESTED, LinkState.CONFIRMED}:
        check_allowed(
            session, link.author, link.contact, phrase("link %(link_id)s", link_id=link_id)
        )
    decide(
        session,
        link,
        undone.to_state,
        by,
        clock(),
        phrase("undoes event %(event)s", event=undone.event_id),
        is_undo=True,
    )
    return undone


def _undone(session: Session, link: IdentityLink) -> Undone:
    """Return what the last decision that was not taken back yet made, and from what."""
    standing: list[LinkEvent] = []
    for event in session.scalars(
        select(LinkEvent).where(LinkEvent.link_id == link.id).order_by(LinkEvent.id)
    ):
        if event.note.startswith(_UNDOES):
            standing.pop()
        else:
            standing.append(event)
    if not standing:
        raise ConflictError("nothing is left to be undone on link %(id)s", id=link.id)
    last = standing[-1]
    if last.actor == SYSTEM and last.to_state is LinkState.WITHDRAWN:
        raise ConflictError(
            "link %(id)s was withdrawn because its evidence or its contact is "
            "gone; it comes back with the evidence",
            id=link.id,
        )
    to_state = last.from_state or LinkState.WITHDRAWN
    return Undone(
        link_id=link.id,
        event_id=last.id,
        from_state=link.state,
        to_state=to_state,
        is_record_cleared=link.state is LinkState.CONFIRMED and to_state is not LinkState.CONFIRMED,
        is_record_written=to_state is LinkState.CONFIRMED and link.state is not LinkState.CONFIRMED,
    )


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


def _as_it_stands(link: IdentityLink) -> str:
    """Say what a link is, and who was faster."""
    if not link.decided_by:
        return phrase("link %(link_id)s is %(state)s", link_id=link.id, state=link.state)
    return phrase(
        "link %(link_id)s is %(state)s by %(who)s at %(time)s UTC",
        link_id=link.id,
        state=link.state,
        who=link.decided_by,
        time=f"{link.decided_at:%H:%M}",
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
    if note.startswith(_UNDOES) and not is_undo:
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
