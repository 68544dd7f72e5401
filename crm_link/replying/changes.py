"""What people do with replies: write, edit, approve, send back, cancel, try again, settle.

Whoever changes a reply says which version they saw, so that what is approved is what was read.
Everything that was done stays as events. Only an approved reply is posted; whoever wrote any of
it does not approve it.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.replying.answered import mark_answered
from crm_link.replying.checks import check_account, check_text, faq_of, needs_approval
from crm_link.replying.events import add_event
from crm_link.replying.models import LIVE, Reply, ReplyState
from crm_link.replying.moves import SAYS, hold, is_posted, let_go, move
from listener.models import Mention

#: An approval is good for so long; what did not go out by then is read again.
APPROVAL_LASTS = timedelta(hours=24)

#: Characters of a word why.
MAX_WHY = 2_000

_EDITABLE = frozenset(
    {ReplyState.WAITING, ReplyState.SENT_BACK, ReplyState.APPROVED, ReplyState.FAILED}
)


def write_reply(
    session: Session,
    mention_id: int,
    text: str,
    *,
    by: str,
    clock: Clock,
    closes: bool = False,
    posts: bool = True,
) -> Reply:
    """Write a reply and ask for its approval; without need of one, it goes out.

    Args:
        session: The transaction.
        mention_id: What is answered.
        text: What is said.
        by: Who, a user's e-mail.
        clock: The present.
        closes: Whether the mention is done once it is posted.
        posts: False: nothing is posted by this installation, replies are only shown.

    Raises:
        NotFoundError: There is no such mention.
        InputError: The text is empty or too long, or nothing is posted to this platform.
        ConflictError: The post is deleted, another reply is on its way, or no account is set up.

    """
    mention = session.get(Mention, mention_id, with_for_update=True)
    if mention is None:
        raise NotFoundError("there is no mention %(mention_id)s", mention_id=mention_id)
    if mention.deleted_at is not None:
        raise ConflictError(
            "mention %(mention_id)s was deleted by its author: nothing to answer",
            mention_id=mention_id,
        )
    text = check_text(mention.platform, text)
    other = session.scalar(
        select(Reply).where(Reply.mention_id == mention_id, Reply.state.in_(LIVE))
    )
    if other is not None:
        raise ConflictError(
            "a reply by %(written_by)s is %(says)s: change that one, or cancel it",
            written_by=other.written_by,
            says=SAYS[other.state],
        )
    protocol = protocol_in_force(session, mention.brand_id)
    account = protocol.replies.accounts.get(mention.platform, "")
    if is_posted(session, mention.brand_id, posts=posts):
        check_account(mention.platform, account)
    now = clock()
    reply = Reply(
        mention_id=mention_id,
        brand_id=mention.brand_id,
        platform=mention.platform,
        account=account,
        text=text,
        faq_id=faq_of(protocol, text),
        closes=closes,
        state=ReplyState.WAITING,
        version=1,
        written_by=by,
        writers=[by],
        written_at=now,
        created_at=now,
        updated_at=now,
    )
    session.add(reply)
    session.flush()
    add_event(session, reply, "written", by=by, now=now, text=text)
    if not needs_approval(protocol, text):
        let_go(session, reply, by=None, clock=clock, posts=posts)
    return reply


def edit_reply(
    session: Session,
    reply_id: int,
    text: str,
    *,
    version: int,
    by: str,
    clock: Clock,
    closes: bool | None = None,
    posts: bool = True,
) -> Reply:
    """Write a reply anew, which needs a new approval.

    Raises:
        NotFoundError: There is no such reply.
        InputError: The text is empty or too long.
        ConflictError: Somebody changed it since, or it is on its way already.

    """
    reply = hold(session, reply_id, version, _EDITABLE)
    text, now = check_text(reply.platform, text), clock()
    protocol = protocol_in_force(session, reply.brand_id)
    reply.text, reply.faq_id = text, faq_of(protocol, text)
    reply.closes = reply.closes if closes is None else closes
    reply.account = protocol.replies.accounts.get(reply.platform, "")
    reply.written_by, reply.written_at = by, now
    reply.writers = [*dict.fromkeys([*reply.writers, by])]
    reply.approved_by = reply.approved_at = reply.why = None
    reply.refusal = reply.last_error = None
    move(session, reply, ReplyState.WAITING, "edited", by=by, clock=clock, text=text)
    if not needs_approval(protocol, text):
        let_go(session, reply, by=None, clock=clock, posts=posts)
    return reply


def approve_reply(
    session: Session,
    reply_id: int,
    *,
    version: int,
    by: str,
    clock: Clock,
    is_admin: bool = False,
    posts: bool = True,
) -> Reply:
    """Let a reply go out. Whoever wrote any of it may not, but an admin where the protocol says so.

    Raises:
        NotFoundError: There is no such reply.
        ConflictError: Somebody changed it since, or it does not wait for approval.
        PermissionDeniedError: They wrote it themselves.

    """
    reply = hold(session, reply_id, version, {ReplyState.WAITING})
    if by in reply.writers:
        may_own = protocol_in_force(session, reply.brand_id).replies.own_by_admin
        if not (is_admin and may_own):
            raise PermissionDeniedError("you wrote this: somebody else approves it")
    if is_posted(session, reply.brand_id, posts=posts):
        check_account(reply.platform, reply.account)
    let_go(session, reply, by=by, clock=clock, posts=posts)
    return reply


def send_back(
    session: Session, reply_id: int, why: str, *, version: int, by: str, clock: Clock
) -> Reply:
    """Give a reply back to whoever wrote it.

    Raises:
        NotFoundError: There is no such reply.
        InputError: The word why is missing or too long.
        ConflictError: Somebody changed it since, or it does not wait for approval.

    """
    why = why.strip()
    if not why or len(why) > MAX_WHY:
        raise InputError(
            "say why in 1 to %(max_why)s characters: what should be changed?",
            max_why=f"{MAX_WHY:,}",
        )
    reply = hold(session, reply_id, version, {ReplyState.WAITING})
    reply.why = why
    move(session, reply, ReplyState.SENT_BACK, "sent back", by=by, clock=clock, note=why)
    return reply


def cancel_reply(session: Session, reply_id: int, *, version: int, by: str, clock: Clock) -> Reply:
    """Give a reply up before it went out; one in doubt is left as it is on the platform.

    Raises:
        NotFoundError: There is no such reply.
        ConflictError: Somebody changed it since, or it went out.

    """
    reply = hold(session, reply_id, version, {*_EDITABLE, ReplyState.IN_DOUBT})
    move(session, reply, ReplyState.CANCELLED, "cancelled", by=by, clock=clock)
    return reply


def retry_reply(
    session: Session, reply_id: int, *, version: int, by: str, clock: Clock, posts: bool = True
) -> Reply:
    """Post what was refused or waits for its account again; an old approval is asked for anew.

    Raises:
        NotFoundError: There is no such reply.
        ConflictError: Somebody changed it since, or it is in no state to be tried.

    """
    reply = hold(session, reply_id, version, {ReplyState.FAILED, ReplyState.APPROVED})
    now = clock()
    is_old = reply.approved_at is None or now - reply.approved_at > APPROVAL_LASTS
    protocol = protocol_in_force(session, reply.brand_id)
    if is_old and needs_approval(protocol, reply.text):
        reply.approved_by = reply.approved_at = None
        reply.refusal = reply.last_error = None
        move(session, reply, ReplyState.WAITING, "asked again", by=by, clock=clock)
        return reply
    if is_posted(session, reply.brand_id, posts=posts):
        check_account(reply.platform, reply.account)
    reply.approved_at = now if is_old else reply.approved_at
    reply.next_attempt_at = now
    move(session, reply, ReplyState.APPROVED, "tried again", by=by, clock=clock)
    return reply


def settle_reply(
    session: Session,
    reply_id: int,
    *,
    is_there: bool,
    url: str = "",
    version: int,
    by: str,
    clock: Clock,
) -> Reply:
    """Say of a reply in doubt whether it is on the platform; what is not there is posted.

    Raises:
        NotFoundError: There is no such reply.
        InputError: The address is none.
        ConflictError: Somebody changed it since, or it is not in doubt.

    """
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise InputError("the address of the reply begins with https://")
    reply = hold(session, reply_id, version, {ReplyState.IN_DOUBT})
    now = clock()
    if is_there:
        reply.posted_at, reply.posted_url = reply.tried_at or now, url or None
        move(session, reply, ReplyState.POSTED, "found", by=by, clock=clock)
        mark_answered(session, reply, by=reply.written_by, clock=clock)
    else:
        reply.next_attempt_at, reply.approved_at = now, reply.approved_at or now
        move(session, reply, ReplyState.APPROVED, "not there", by=by, clock=clock)
    return reply
