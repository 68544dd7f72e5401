"""The review queue: what a person should look at next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from api.console.due import due
from api.console.filters import filter_options
from api.console.page import Page, PageDep
from api.formats import query
from api.models import Role
from api.pages import render
from api.paging import CursorQuery, queue_cursor, queue_key
from api.reply_words import reply_state
from api.routes.flags import FilterDep
from api.users import list_users
from config.clock import to_utc
from crm_link.contacts.people import people_behind, standing_of
from crm_link.contacts.people_list import list_tiers
from crm_link.flags.queue import count_open, get_flag, open_flags
from crm_link.flags.queue_presence import who_is_there
from crm_link.flags.queue_views import default_view, list_views
from crm_link.mentions import has_mentions
from crm_link.models import Flag
from crm_link.replying.lists import live_replies
from crm_link.types import Priority
from sentiment.types import Label

router = APIRouter(prefix="/queue")

#: Cards on one page.
CARDS = 25


@router.get("")
def queue(page: PageDep, wanted: FilterDep, cursor: CursorQuery = "") -> Response:
    """Show the open flags, what is due first; without filters, the reader's default view."""
    if not page.request.url.query:
        view = default_view(page.session, page.user.email)
        if view is not None and view.filters:
            return RedirectResponse(f"/queue?{query(view.filters)}", status_code=303)
    now = page.state.clock()
    found = open_flags(page.session, wanted, now=now, after=queue_key(cursor), limit=CARDS)
    # The address says `me`, so that a shared view is everybody's own.
    asked = page.request.query_params.get("assignee", "")
    filters = {key: value for key, value in asdict(wanted).items() if value} | (
        {"assignee": asked} if asked else {}
    )
    shown = {key: value for key, value in filters.items() if key not in {"state", "assignee"}}
    return page.show(
        "queue.html",
        {
            "flags": found.flags,
            "next_cursor": queue_cursor(found.after),
            "is_first": not cursor,
            "filters": filters,
            "is_new": not found.flags and not has_mentions(page.session),
            "is_narrowed": any(shown.values()),
            "views": list_views(page.session, page.user.email),
            "tier_options": [(tier, tier) for tier in list_tiers(page.session)],
            "undo": page.request.session.pop("undo", None),
            **filter_options(page.session),
            **around(page, found.flags),
        },
    )


@router.get("/fresh")
def fresh(page: PageDep, since: datetime) -> Response:
    """Say how many mentions came into the queue after a time."""
    number = count_open(page.session, now=page.state.clock(), since=to_utc(since))
    return render(page.request, "_fresh.html", {"number": number, "since": since})


@router.get("/{mention_id}/card")
def card(page: PageDep, mention_id: int) -> Response:
    """Show one flag as it is now."""
    flag = get_flag(page.session, mention_id)
    return page.show("_flag_card.html", {"flag": flag, **around(page, [flag])})


def around(page: Page, flags: Sequence[Flag]) -> dict[str, Any]:
    """Return what cards show beside their flags: people, clocks, who works where."""
    users = list_users(page.session)
    return {
        "people": people_behind(page.session, [flag.mention for flag in flags]),
        "standing": standing_of,
        "due": due,
        "names": {user.email: user.name for user in users},
        "team": [user for user in users if user.is_active and user.role is not Role.VIEWER],
        "present": who_is_there(
            page.session, [flag.mention_id for flag in flags], clock=page.state.clock
        ),
        "labels": [Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE],
        "priorities": list(Priority),
        "replies": live_replies(page.session, [flag.mention_id for flag in flags]),
        "reply_state": reply_state,
    }
