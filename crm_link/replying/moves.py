"""How a reply goes from one state into the next one: seen, held, and written down."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, NotFoundError
from config.phrases import phrase
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.replying.answered import mark_answered
from crm_link.replying.events import add_event
from crm_link.replying.models import Reply, ReplyState
from listener.models import Brand


def let_go(session: Session, reply: Reply, *, by: str | None, clock: Clock, posts: bool) -> None:
    """Put a reply into the outbox; of a drill, or where nothing is posted, only show it."""
    now = clock()
    reply.approved_by, reply.approved_at, reply.why = by, now, None
    who = by or reply.written_by
    if not is_posted(session, reply.brand_id, posts=posts):
        move(session, reply, ReplyState.REHEARSED, "rehearsed", by=who, clock=clock)
        mark_answered(session, reply, by=reply.written_by, clock=clock)
        return
    wait = protocol_in_force(session, reply.brand_id).replies.hold
    reply.next_attempt_at = now + wait
    action = "approved" if by else "let go"
    move(session, reply, ReplyState.APPROVED, action, by=who, clock=clock)


def is_posted(session: Session, brand_id: int, *, posts: bool) -> bool:
    """Say whether replies to a brand's mentions really go out: drills' do not."""
    drill = select(Brand.drill_of_id).where(Brand.id == brand_id)
    return posts and session.scalar(drill) is None


#: What a reply in each state is.
SAYS = {
    ReplyState.WAITING: phrase("waiting for approval"),
    ReplyState.SENT_BACK: phrase("sent back to whoever wrote it"),
    ReplyState.APPROVED: phrase("approved and about to go out"),
    ReplyState.SENDING: phrase("going out at this moment"),
    ReplyState.IN_DOUBT: phrase("in doubt: it may be on the platform"),
    ReplyState.POSTED: phrase("posted"),
    ReplyState.REHEARSED: phrase("a rehearsal that is over"),
    ReplyState.FAILED: phrase("refused by the platform"),
    ReplyState.CANCELLED: phrase("cancelled"),
}


def hold(session: Session, reply_id: int, version: int, states: Collection[ReplyState]) -> Reply:
    """Return a reply, held until the transaction ends.

    Raises:
        NotFoundError: There is no such reply.
        ConflictError: It is in none of the states, or not in the version that was seen.

    """
    reply = session.scalar(
        select(Reply)
        .where(Reply.id == reply_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if reply is None:
        raise NotFoundError("there is no reply %(reply_id)s", reply_id=reply_id)
    if reply.state not in states:
        raise ConflictError(
            "reply %(reply_id)s is %(says)s", reply_id=reply_id, says=SAYS[reply.state]
        )
    if reply.version != version:
        raise ConflictError(
            "reply %(reply_id)s was changed meanwhile: read it as it is now, then decide",
            reply_id=reply_id,
        )
    return reply


def move(
    session: Session,
    reply: Reply,
    state: ReplyState,
    action: str,
    *,
    by: str,
    clock: Clock,
    note: str = "",
    text: str | None = None,
) -> None:
    """Put a reply into a state, and write down who did it."""
    reply.state, reply.updated_at = state, clock()
    reply.version += 1
    if state is not ReplyState.APPROVED:
        reply.next_attempt_at = None
    reply.lease_until = None
    add_event(session, reply, action, by=by, now=reply.updated_at, note=note, text=text)
