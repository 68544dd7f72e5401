"""The link review queue: is this author that contact?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api import actions
from api.console.page import PageDep
from api.deps import CommunityManagerDep
from api.formats import words
from api.language import gettext
from api.pages import back_to, is_htmx, render
from api.paging import CursorQuery, case_cursor, case_key
from crm_link.mention_view import get_link
from crm_link.models import IdentityLink
from crm_link.review_cases import asks_for_expectation, case_of, decided_lately, open_cases

router = APIRouter(prefix="/links")

#: The mention on whose page the decision was made, where it was not the list.
Next = Annotated[int | None, Query()]

#: The contact on whose page it was.
Person = Annotated[int | None, Query()]

#: Authors on one page.
ROWS = 15


@router.get("")
def links(page: PageDep, cursor: CursorQuery = "") -> Response:
    """Show authors that may be somebody, with all who they may be."""
    found = open_cases(page.session, after=case_key(cursor), limit=ROWS)
    return page.show(
        "links.html",
        {
            "cases": found.cases,
            "next_cursor": case_cursor(found.after),
        },
    )


@router.get("/decided")
def decided(page: PageDep) -> Response:
    """Show what people decided lately, to take back."""
    return page.show("links_decided.html", {"decided": decided_lately(page.session)})


@router.get("/{link_id}")
def link(
    page: PageDep,
    link_id: int,
    next: Next = None,  # noqa: A002 - the address says it
) -> Response:
    """Show one link, whatever its state."""
    return page.show("link.html", {"case": case_of(page.session, link_id), "next_id": next})


@router.post("/{link_id}/confirm")
def confirm(
    request: Request,
    actor: CommunityManagerDep,
    link_id: int,
    expected: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    next: Next = None,  # noqa: A002 - the address says it
) -> Response:
    """Say that the author is the contact."""
    if not is_htmx(request) and not expected:
        platform = get_link(actor.session, link_id).author.platform
        if asks_for_expectation(platform):
            # A form without the question leads to the page that asks it.
            where = f"/links/{link_id}?next={next}" if next else f"/links/{link_id}"
            return back_to(request, where, gettext("Say first whether this would surprise them."))
    return _decided(request, actions.confirm_link(actor, link_id, is_expected=expected), next)


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
    actions.undo_link(actor, link_id)
    if is_htmx(page.request):
        case = case_of(page.session, link_id)
        return page.show("_open_link.html", {"case": case, "one": case.candidates[0]})
    target = f"/people/{person}" if person else _target(next)
    return back_to(page.request, target, gettext("The decision is taken back."))


def _decided(request: Request, link: IdentityLink, mention_id: int | None) -> Response:
    if is_htmx(request):
        return render(request, "_decided_link.html", {"link": link})
    return back_to(
        request, _target(mention_id), gettext("The link is %(state)s.", state=words(link.state))
    )


def _target(mention_id: int | None) -> str:
    return f"/mentions/{mention_id}" if mention_id else "/links"
