"""The review queue: what a person should look at next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import actions
from api.console.filters import filter_options
from api.console.page import PageDep
from api.deps import CommunityManagerDep
from api.pages import back_to, is_htmx, render
from api.paging import CursorQuery, queue_cursor, queue_key
from api.routes.flags import queue_filter
from api.security import HOME, safe_next
from config.clock import to_utc
from crm_link.models import Flag, FlagStatus
from crm_link.people import people_behind
from crm_link.queue import QueueFilter, count_open, get_flag, open_flags

router = APIRouter(prefix="/queue")

#: Where a form without script leads to afterwards.
Next = Annotated[str, Query(max_length=300)]

#: Cards on one page.
CARDS = 25


@router.get("")
def queue(
    page: PageDep, wanted: Annotated[QueueFilter, Depends(queue_filter)], cursor: CursorQuery = ""
) -> Response:
    """Show the open flags, the most urgent first."""
    found = open_flags(page.session, wanted, after=queue_key(cursor), limit=CARDS)
    filters = asdict(wanted)
    return page.show(
        "queue.html",
        {
            "flags": found.flags,
            "people": people_behind(page.session, [flag.mention for flag in found.flags]),
            "next_cursor": queue_cursor(found.after),
            "is_first": not cursor,
            "filters": filters,
            "is_filtered": any(filters.values()),
            **filter_options(page.session),
        },
    )


@router.get("/fresh")
def fresh(page: PageDep, since: datetime) -> Response:
    """Say how many mentions came into the queue after a time."""
    number = count_open(page.session, since=to_utc(since))
    return render(page.request, "_fresh.html", {"number": number, "since": since})


@router.post("/{mention_id}/done")
def done(
    request: Request,
    actor: CommunityManagerDep,
    mention_id: int,
    next: Next = "",  # noqa: A002 - the address says it
) -> Response:
    """Take a mention out of the queue as done."""
    flag = actions.close_flag(actor, mention_id, status=FlagStatus.DONE)
    return _closed(request, flag, next)


@router.post("/{mention_id}/dismiss")
def dismiss(
    request: Request,
    actor: CommunityManagerDep,
    mention_id: int,
    next: Next = "",  # noqa: A002 - the address says it
) -> Response:
    """Take a mention out of the queue as nothing to act on."""
    flag = actions.close_flag(actor, mention_id, status=FlagStatus.DISMISSED)
    return _closed(request, flag, next)


@router.post("/{mention_id}/reopen")
def reopen(
    page: PageDep,
    actor: CommunityManagerDep,
    mention_id: int,
    next: Next = "",  # noqa: A002 - the address says it
) -> Response:
    """Put a mention back into the queue."""
    actions.reopen_flag(actor, mention_id)
    if is_htmx(page.request):
        flag = get_flag(actor.session, mention_id)
        people = people_behind(page.session, [flag.mention])
        return page.show("_open_card.html", {"flag": flag, "people": people})
    notice = f"Mention {mention_id} is in the queue again."
    return back_to(page.request, safe_next(next) if next else HOME, notice)


def _closed(request: Request, flag: Flag, target: str) -> Response:
    if is_htmx(request):
        return render(request, "_closed_card.html", {"flag": flag})
    notice = f"Mention {flag.mention_id} is {flag.status}."
    return back_to(request, safe_next(target) if target else HOME, notice)
