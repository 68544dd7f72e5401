"""The review queue: list it, close a flag, take that back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import actions
from api.deps import CommunityManagerDep, SessionDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, queue_cursor, queue_key
from api.schemas.mentions import CloseIn, FlaggedMentionOut, FlagOut, MentionOut
from crm_link.queue import QueueFilter, open_flags

router = APIRouter(prefix="/queue", tags=["queue"], dependencies=[Depends(get_user)])

Word = Annotated[str, Query(max_length=100)]


def queue_filter(
    brand: Word = "",
    platform: Word = "",
    priority: Word = "",
    label: Word = "",
    lang: Word = "",
    text: Annotated[str, Query(max_length=500, description="Words that the text has.")] = "",
) -> QueueFilter:
    """Return which part of the queue is asked for."""
    return QueueFilter(brand, platform, priority, label, lang, text)


@router.get("")
def read_queue(
    session: SessionDep,
    wanted: Annotated[QueueFilter, Depends(queue_filter)],
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[FlaggedMentionOut]:
    """List open flags, the most urgent first."""
    page = open_flags(session, wanted, after=queue_key(cursor), limit=limit)
    return Page(
        items=[
            FlaggedMentionOut(
                flag=FlagOut.model_validate(flag), mention=MentionOut.model_validate(flag.mention)
            )
            for flag in page.flags
        ],
        next_cursor=queue_cursor(page.after),
    )


@router.post("/{mention_id}/close")
def close(actor: CommunityManagerDep, mention_id: int, body: CloseIn) -> FlagOut:
    """Take a mention out of the queue. Answers 409 if somebody did already."""
    flag = actions.close_flag(actor, mention_id, status=body.status, note=body.note)
    return FlagOut.model_validate(flag)


@router.post("/{mention_id}/reopen")
def reopen(actor: CommunityManagerDep, mention_id: int) -> FlagOut:
    """Put a mention back into the queue. Answers 409 if it is there."""
    return FlagOut.model_validate(actions.reopen_flag(actor, mention_id))
