"""What the menu of every open page follows live: its badges, and incidents that are new."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.page import PageDep
from api.deps import may
from api.models import Role
from api.pages import render
from crm_link.escalation.war_room.incident_view import count_unresolved, opened_since
from crm_link.flags.queue import count_open
from crm_link.replying.lists import count_to_do

router = APIRouter(prefix="/menu")


@router.get("")
def menu(page: PageDep, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Show how much waits, and to who may work them the incidents opened after an event."""
    can_work = may(page.user, Role.COMMUNITY_MANAGER)
    now = page.state.clock()
    news, last = opened_since(page.session, after) if can_work else ([], after)
    return render(
        page.request,
        "_menu.html",
        {
            "open_flags": count_open(page.session, now=now),
            "open_incidents": count_unresolved(page.session),
            "replies_to_do": count_to_do(
                page.session, page.user.email, approves=may(page.user, Role.PR_LEAD)
            ),
            "news": news,
            "last": last,
            "now": now,
        },
    )
