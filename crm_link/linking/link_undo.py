"""Taking decisions about links back, step by step, and saying beforehand what it changes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock, utc_now
from config.errors import ConflictError
from config.phrases import phrase
from crm_link.linking.link_changes import SYSTEM
from crm_link.linking.link_decisions import UNDOES, check_allowed, decide, hold_link
from crm_link.models import IdentityLink, LinkEvent
from crm_link.types import LinkState


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
        if event.note.startswith(UNDOES):
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
