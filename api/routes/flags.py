"""The review queue: list it, work on it, take that back; views, and who is where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import queue_actions
from api.deps import Actor, AnybodyDep, CommunityManagerDep, SessionDep, StateDep, UserDep, get_user
from api.paging import CursorQuery, LimitQuery, Page, queue_cursor, queue_key
from api.schemas.mentions import CloseIn, FlaggedMentionOut, FlagOut, MentionOut
from api.schemas.queue import (
    ChangesIn,
    ChangesOut,
    FlagEventOut,
    LeftOut,
    PresenceIn,
    PresenceOut,
    PresentOut,
    ViewIn,
    ViewOut,
)
from config.errors import InputError
from crm_link.flags.acts import Act, Change, Changed
from crm_link.flags.events import events_of
from crm_link.flags.queue import QueueFilter, get_flag, get_flags, open_flags, versions_of
from crm_link.flags.queue_presence import who_is_there
from crm_link.flags.queue_views import list_views
from crm_link.models import FlagStatus

router = APIRouter(prefix="/queue", tags=["queue"], dependencies=[Depends(get_user)])

Word = Annotated[str, Query(max_length=100)]

#: Mentions about whose readers one request asks.
MAX_ASKED = 200


def queue_filter(
    user: UserDep,
    brand: Word = "",
    platform: Word = "",
    priority: Word = "",
    label: Word = "",
    lang: Word = "",
    text: Annotated[str, Query(max_length=500, description="Words that the text has.")] = "",
    assignee: Annotated[
        str, Query(max_length=320, description="An e-mail address, `me` or `nobody`.")
    ] = "",
    tier: Annotated[Word, Query(description="Of the contact; `nobody`: none is known.")] = "",
    state: Annotated[Word, Query(description="`late` or `snoozed`.")] = "",
) -> QueueFilter:
    """Return which part of the queue is asked for."""
    owner = user.email if assignee == "me" else assignee
    return QueueFilter(brand, platform, priority, label, lang, text, owner, tier, state)


FilterDep = Annotated[QueueFilter, Depends(queue_filter)]


@router.get("")
def read_queue(
    session: SessionDep,
    state: StateDep,
    wanted: FilterDep,
    cursor: CursorQuery = "",
    limit: LimitQuery = 25,
) -> Page[FlaggedMentionOut]:
    """List open flags, what is due first."""
    page = open_flags(session, wanted, now=state.clock(), after=queue_key(cursor), limit=limit)
    return Page(
        items=[
            FlaggedMentionOut(
                flag=FlagOut.model_validate(flag), mention=MentionOut.model_validate(flag.mention)
            )
            for flag in page.flags
        ],
        next_cursor=queue_cursor(page.after),
    )


@router.post("/changes")
def change(actor: CommunityManagerDep, body: ChangesIn) -> ChangesOut:
    """Do the same to some flags, or to all that a filter finds (500 at most), as one.

    Flags that somebody changed since they were `seen` stay as they are and are named; answers
    409 if that is all of them.
    """
    if body.all_of is not None:
        done = queue_actions.change_all(actor, body.change(), body.all_of.filter(actor.name))
    else:
        done = queue_actions.change(actor, body.change(), body.mention_ids, seen=body.seen)
    return _changes(actor, done)


@router.post("/changes/{batch}/undo")
def undo(actor: CommunityManagerDep, batch: str) -> ChangesOut:
    """Take an action of the last hour back. Flags that others changed since stay as they are."""
    return _changes(actor, queue_actions.undo(actor, batch))


@router.get("/views")
def read_views(session: SessionDep, user: UserDep) -> list[ViewOut]:
    """List your views and those that others share."""
    return [ViewOut.model_validate(view) for view in list_views(session, user.email)]


@router.post("/views")
def save_view(actor: AnybodyDep, body: ViewIn) -> ViewOut:
    """Keep filters under a name; the same name again changes the view."""
    view = queue_actions.save_view(
        actor,
        body.name,
        body.filters.model_dump(),
        is_shared=body.is_shared,
        is_default=body.is_default,
    )
    return ViewOut.model_validate(view)


@router.post("/views/{view_id}/remove")
def remove_view(actor: AnybodyDep, view_id: int) -> ViewOut:
    """Remove one of your views."""
    return ViewOut.model_validate(queue_actions.remove_view(actor, view_id))


@router.get("/presence")
def read_presence(
    session: SessionDep, state: StateDep, mention_id: Annotated[list[int], Query()]
) -> PresentOut:
    """Say who has these mentions before them now, and which version of each flag holds."""
    if len(mention_id) > MAX_ASKED:
        raise InputError("ask for %(max_asked)s mentions at most", max_asked=MAX_ASKED)
    versions = versions_of(session, mention_id)
    found = who_is_there(session, list(versions), clock=state.clock)
    people = [PresenceOut.model_validate(one) for each in found.values() for one in each]
    return PresentOut(people=people, versions=versions)


@router.post("/presence")
def be_present(actor: AnybodyDep, body: PresenceIn) -> list[PresenceOut]:
    """Say with which mention you are, every 10 s; return who else is with it."""
    others = queue_actions.be_present(actor, body.mention_id, is_working=body.is_working)
    return [PresenceOut.model_validate(one) for one in others]


@router.get("/{mention_id}/events")
def read_events(session: SessionDep, mention_id: int) -> list[FlagEventOut]:
    """List what was done to a mention's flag, the newest first."""
    get_flag(session, mention_id)
    return [FlagEventOut.model_validate(event) for event in events_of(session, mention_id)]


@router.post("/{mention_id}/close")
def close(actor: CommunityManagerDep, mention_id: int, body: CloseIn) -> FlagOut:
    """Take a mention out of the queue. Answers 409 if somebody did already."""
    if body.status is FlagStatus.OPEN:
        raise InputError("a flag is closed as done or as dismissed")
    act = Act.DONE if body.status is FlagStatus.DONE else Act.DISMISS
    return _one(actor, mention_id, Change(act, note=body.note))


@router.post("/{mention_id}/reopen")
def reopen(actor: CommunityManagerDep, mention_id: int) -> FlagOut:
    """Put a mention back into the queue. Answers 409 if it is there."""
    return _one(actor, mention_id, Change(Act.REOPEN))


def _one(actor: Actor, mention_id: int, change: Change) -> FlagOut:
    queue_actions.change(actor, change, [mention_id])
    return FlagOut.model_validate(get_flag(actor.session, mention_id))


def _changes(actor: Actor, done: Changed) -> ChangesOut:
    flags = get_flags(actor.session, list(done.events))
    return ChangesOut(
        batch=done.batch,
        changed=[FlagOut.model_validate(flags[one]) for one in done.events],
        left=[LeftOut(mention_id=one, reason=why) for one, why in done.left.items()],
    )
