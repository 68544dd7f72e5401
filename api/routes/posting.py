"""Replies that are posted: write, approve, send back, cancel, and what became of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import reply_actions
from api.deps import CommunityManagerDep, PrLeadDep, SessionDep, StateDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, decode_id, encode_cursor
from api.schemas.posting import (
    FailingAccountOut,
    LengthIn,
    LengthOut,
    PostedReplyOut,
    ReplyEditIn,
    ReplyEventOut,
    ReplyTextIn,
    SendBackIn,
    SettleIn,
    VersionIn,
)
from crm_link.replying import lists
from crm_link.replying.checks import length_of
from crm_link.replying.events import events_of_reply
from crm_link.replying.models import ReplyState

router = APIRouter(tags=["posting replies"], dependencies=[Depends(get_user)])

Out = PostedReplyOut


@router.get("/posted-replies")
def read_replies(
    session: SessionDep,
    state: Annotated[list[ReplyState] | None, Query(description="Empty: in any state.")] = None,
    cursor: CursorQuery = "",
    limit: LimitQuery = 50,
) -> Page[PostedReplyOut]:
    """List replies, the oldest first: those in state `waiting` wait for approval."""
    found = lists.list_replies(session, state or (), after=decode_id(cursor) or 0, limit=limit)
    return Page(
        items=[Out.model_validate(reply) for reply in found.replies],
        next_cursor=encode_cursor(found.after) if found.after else None,
    )


@router.get("/posted-replies/failing-accounts")
def read_failing(session: SessionDep) -> list[FailingAccountOut]:
    """List the accounts in whose name nothing can be posted, and what helps."""
    return [FailingAccountOut.model_validate(one) for one in lists.failing_accounts(session)]


@router.post("/posted-replies/length")
def measure(actor: CommunityManagerDep, body: LengthIn) -> LengthOut:
    """Say how long a platform finds a text; nothing is kept."""
    del actor
    return LengthOut.model_validate(length_of(body.platform, body.text))


@router.get("/posted-replies/{reply_id}")
def read_reply(session: SessionDep, reply_id: int) -> PostedReplyOut:
    """Return a reply."""
    return Out.model_validate(lists.get_reply(session, reply_id))


@router.get("/posted-replies/{reply_id}/events")
def read_events(session: SessionDep, reply_id: int) -> list[ReplyEventOut]:
    """List what was done to a reply, the oldest first."""
    lists.get_reply(session, reply_id)
    return [ReplyEventOut.model_validate(one) for one in events_of_reply(session, reply_id)]


@router.post("/mentions/{mention_id}/reply")
def write(
    actor: CommunityManagerDep, state: StateDep, mention_id: int, body: ReplyTextIn
) -> PostedReplyOut:
    """Write a reply and ask for its approval; where the protocol needs none, it goes out.

    Answers 409 if another one is on its way, or no account is set up.
    """
    reply = reply_actions.write(actor, state, mention_id, body.text, closes=body.closes)
    return Out.model_validate(reply)


@router.post("/posted-replies/{reply_id}/edit")
def edit(
    actor: CommunityManagerDep, state: StateDep, reply_id: int, body: ReplyEditIn
) -> PostedReplyOut:
    """Write a reply anew, which needs a new approval. Answers 409 if it is on its way."""
    reply = reply_actions.edit(
        actor, state, reply_id, body.text, version=body.version, closes=body.closes
    )
    return Out.model_validate(reply)


@router.post("/posted-replies/{reply_id}/approve")
def approve(actor: PrLeadDep, state: StateDep, reply_id: int, body: VersionIn) -> PostedReplyOut:
    """Let a reply go out. Answers 403 to whoever wrote any of it."""
    reply = reply_actions.approve(actor, state, reply_id, version=body.version)
    return Out.model_validate(reply)


@router.post("/posted-replies/{reply_id}/send-back")
def send_back(actor: PrLeadDep, reply_id: int, body: SendBackIn) -> PostedReplyOut:
    """Give a reply back to whoever wrote it, with a word why."""
    reply = reply_actions.send_back(actor, reply_id, body.why, version=body.version)
    return Out.model_validate(reply)


@router.post("/posted-replies/{reply_id}/cancel")
def cancel(actor: CommunityManagerDep, reply_id: int, body: VersionIn) -> PostedReplyOut:
    """Give a reply up before it went out. Answers 409 if it did."""
    return Out.model_validate(reply_actions.cancel(actor, reply_id, version=body.version))


@router.post("/posted-replies/{reply_id}/retry")
def retry(
    actor: CommunityManagerDep, state: StateDep, reply_id: int, body: VersionIn
) -> PostedReplyOut:
    """Post what did not go out again; an approval older than a day is asked for anew."""
    return Out.model_validate(reply_actions.retry(actor, state, reply_id, version=body.version))


@router.post("/posted-replies/{reply_id}/settle")
def settle(actor: CommunityManagerDep, reply_id: int, body: SettleIn) -> PostedReplyOut:
    """Say of a reply in doubt whether it is on the platform; what is not there is posted."""
    reply = reply_actions.settle(
        actor, reply_id, is_there=body.is_there, url=body.url, version=body.version
    )
    return Out.model_validate(reply)
