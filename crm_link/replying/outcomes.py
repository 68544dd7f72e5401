"""What becomes of a reply after a request: recorded in one transaction with its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import AppError, BudgetExhaustedError, TransientError
from crm_link.flags.flagging import MACHINE
from crm_link.replying.answered import mark_answered
from crm_link.replying.events import add_event
from crm_link.replying.models import Reply, ReplyState
from crm_link.writeback import retry_wait_s
from listener.replier import (
    OF_ACCOUNT,
    OwnPost,
    OwnSearch,
    PerhapsPostedError,
    Refusal,
    ReplyRefusedError,
)

#: Seconds after which what may have been posted would be among the account's posts, and between
#: two looks for it.
SETTLE_S = 60.0

#: Looks that find nothing before it is believed.
LOOKS = 2

#: Looks that fail before a person is asked: about two hours of them.
MOST_LOOKS = 12

#: Seconds after which an account that is refused is tried again.
ACCOUNT_WAIT_S = 600.0

#: What a request came to; None: it was not begun.
Came = OwnPost | OwnSearch | Exception | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a claimed reply's request came to."""

    lease_until: datetime
    came: Came
    is_look: bool


def tried(lease_until: datetime, came: Came) -> Outcome:
    """Return the outcome of posting."""
    return Outcome(lease_until, came, is_look=False)


def looked_for(lease_until: datetime, came: Came) -> Outcome:
    """Return the outcome of looking."""
    return Outcome(lease_until, came, is_look=True)


def record(session: Session, reply_id: int, outcome: Outcome, clock: Clock) -> ReplyState | None:
    """Write down what became of a reply; return its state, None if it was erased.

    A reply that was found to be out is out, whoever has it now; any other outcome counts only
    for whoever still has the lease.
    """
    reply = session.scalar(
        select(Reply)
        .where(Reply.id == reply_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if reply is None:
        return None
    now = clock()
    came = outcome.came
    if isinstance(came, OwnSearch) and came.post is not None:
        came = came.post
    if isinstance(came, OwnPost):
        if reply.state is not ReplyState.POSTED:
            _record_post(session, reply, came, outcome, clock)
    elif reply.lease_until == outcome.lease_until:
        before = reply.state
        action = _move(session, reply, outcome, now)
        reply.lease_until = None
        reply.updated_at = now
        if action:
            reply.version += reply.state is not before
            add_event(session, reply, action, by=MACHINE, now=now, note=reply.last_error or "")
    return reply.state


def _record_post(
    session: Session, reply: Reply, post: OwnPost, outcome: Outcome, clock: Clock
) -> None:
    now = clock()
    reply.state, reply.posted_at = ReplyState.POSTED, now
    reply.posted_id, reply.posted_url = post.external_id, post.url or None
    reply.refusal = reply.last_error = reply.next_attempt_at = reply.lease_until = None
    reply.version += 1
    reply.updated_at = now
    action = "found" if outcome.is_look else "posted"
    add_event(session, reply, action, by=MACHINE, now=now)
    mark_answered(session, reply, by=reply.written_by, clock=clock)


def _move(session: Session, reply: Reply, outcome: Outcome, now: datetime) -> str:
    """Put a reply that is not out into its next state; return what to write down of it."""
    came = outcome.came
    if outcome.is_look:
        return _after_look(reply, came, now)
    if came is None:
        reply.state, reply.next_attempt_at = ReplyState.APPROVED, now
        return ""
    said, reply.last_error = reply.last_error, _words(came)
    if isinstance(came, PerhapsPostedError):
        reply.state, reply.looks = ReplyState.IN_DOUBT, 0
        reply.next_attempt_at = now + timedelta(seconds=SETTLE_S)
        return "in doubt"
    reply.refusal = _refusal_of(came)
    if isinstance(came, ReplyRefusedError) and came.refusal not in OF_ACCOUNT:
        reply.state, reply.next_attempt_at = ReplyState.FAILED, None
        return "failed"
    _put_off(session, reply, _wait_s(reply, came), now)
    return "put off" if said != reply.last_error else ""


def _words(came: Came) -> str:
    return (came.said if isinstance(came, AppError) else str(came))[:1000]


def _refusal_of(came: Came) -> Refusal | None:
    if isinstance(came, ReplyRefusedError):
        return came.refusal
    return Refusal.CREDIT if isinstance(came, BudgetExhaustedError) else None


def _wait_s(reply: Reply, came: Came) -> float:
    """Return after how many seconds a reply is tried again."""
    if isinstance(came, ReplyRefusedError):
        return ACCOUNT_WAIT_S
    if isinstance(came, BudgetExhaustedError):
        return came.resume_after_s
    assert isinstance(came, TransientError)
    return retry_wait_s(reply.attempts, came.retry_after_s)


def _put_off(session: Session, reply: Reply, wait_s: float, now: datetime) -> None:
    """Try later, and so with all others of the account: the next would hear the same."""
    reply.state, until = ReplyState.APPROVED, now + timedelta(seconds=wait_s)
    reply.next_attempt_at = until
    session.execute(
        update(Reply)
        .where(
            Reply.platform == reply.platform,
            Reply.account == reply.account,
            Reply.state == ReplyState.APPROVED,
            Reply.next_attempt_at < until,
        )
        .values(next_attempt_at=until)
        .execution_options(synchronize_session=False)
    )


def _after_look(reply: Reply, came: Came, now: datetime) -> str:
    if came is None:
        reply.next_attempt_at = now
        return ""
    reply.looks += 1
    if isinstance(came, OwnSearch) and came.is_sure:
        if reply.looks < LOOKS:
            reply.next_attempt_at = now + timedelta(seconds=SETTLE_S)
            return ""
        reply.state, reply.next_attempt_at, reply.last_error = ReplyState.APPROVED, now, None
        return "not there"
    if isinstance(came, OwnSearch) or reply.looks >= MOST_LOOKS:
        # Nothing more is asked, and a person says what is there.
        reply.next_attempt_at = None
        return "left to people"
    reply.last_error = _words(came)
    wait_s = retry_wait_s(reply.looks, getattr(came, "retry_after_s", None))
    reply.next_attempt_at = now + timedelta(seconds=max(wait_s, SETTLE_S))
    return ""
