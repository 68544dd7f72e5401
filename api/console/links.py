"""The link review queue: is this author that contact?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import actions
from api.console.page import PageDep
from api.deps import CommunityManagerDep
from api.pages import back_to, is_htmx, render
from api.paging import CursorQuery, decode_id, encode_cursor
from crm_link import review
from crm_link.mention_view import get_link
from crm_link.models import IdentityLink

router = APIRouter(prefix="/links")

#: The mention on whose page the decision was made, where it was not the list.
Next = Annotated[int | None, Query()]

#: The contact on whose page it was.
Person = Annotated[int | None, Query()]

#: Links on one page.
ROWS = 20


@router.get("")
def links(page: PageDep, cursor: CursorQuery = "") -> Response:
    """Show links that wait for a decision."""
    found = review.suggestions(page.session, after=decode_id(cursor), limit=ROWS + 1)
    is_more = len(found) > ROWS
    return page.show(
        "links.html",
        {
            "links": found[:ROWS],
            "next_cursor": encode_cursor(found[ROWS - 1].id) if is_more else None,
        },
    )


@router.get("/{link_id}")
def link(page: PageDep, link_id: int) -> Response:
    """Show one link, whatever its state."""
    return page.show("link.html", {"link": get_link(page.session, link_id)})


@router.post("/{link_id}/confirm")
def confirm(
    request: Request,
    actor: CommunityManagerDep,
    link_id: int,
    next: Next = None,  # noqa: A002 - the address says it
) -> Response:
    """Say that the author is the contact."""
    return _decided(request, actions.confirm_link(actor, link_id), next)


@router.post("/{link_id}/reject")
def reject(
    request: Request,
    actor: CommunityManagerDep,
    link_id: int,
    next: Next = None,  # noqa: A002 - the address says it
) -> Response:
    """Say that the author is not the contact."""
    return _decided(request, actions.reject_link(actor, link_id), next)


@router.post("/{link_id}/undo")
def undo(
    page: PageDep,
    actor: CommunityManagerDep,
    link_id: int,
    next: Next = None,  # noqa: A002 - the address says it
    person: Person = None,
) -> Response:
    """Take a decision back."""
    link = actions.undo_link(actor, link_id)
    if is_htmx(page.request):
        return page.show("_open_link.html", {"link": link})
    target = f"/people/{person}" if person else _target(next)
    return back_to(page.request, target, "The decision is taken back.")


def _decided(request: Request, link: IdentityLink, mention_id: int | None) -> Response:
    if is_htmx(request):
        return render(request, "_decided_link.html", {"link": link})
    return back_to(request, _target(mention_id), f"The link is {link.state}.")


def _target(mention_id: int | None) -> str:
    return f"/mentions/{mention_id}" if mention_id else "/links"
