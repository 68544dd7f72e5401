"""Privacy: erasing a person, with receipts, and telling a person what is held. For admins."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import privacy_actions as actions
from api.console.page import PageDep
from api.deps import AdminDep, AdminUserDep
from api.language import gettext
from api.pages import back_to
from config.errors import InputError
from crm_link.privacy.requests import get_erasure, list_erasures, preview_erasure

router = APIRouter(prefix="/admin/privacy")

PATH = "/admin/privacy"

Whom = Annotated[str, Form(max_length=300)]
Kind = Annotated[str, Form(pattern="^(author|contact)$")]
Ticked = Annotated[bool, Form()]


@router.get("")
def privacy(_admin: AdminUserDep, page: PageDep) -> Response:
    """Show the erasures, and the form for a request."""
    return page.show("privacy.html", {"erasures": list_erasures(page.session)})


@router.post("/look")
def look(
    _admin: AdminUserDep,
    page: PageDep,
    kind: Kind,
    whom: Whom,
    whole_person: Ticked = False,  # noqa: FBT002 - a ticked box
) -> Response:
    """Show what is held about somebody, and what an erasure would take."""
    subject, counts = preview_erasure(page.session, **_named(kind, whom), whole_person=whole_person)
    context = {
        "subject": subject,
        "counts": sorted(counts.items()),
        "kind": kind,
        "whom": whom,
        "whole_person": whole_person,
    }
    return page.show("privacy_person.html", context)


@router.post("/erase")
def erase(
    request: Request,
    actor: AdminDep,
    kind: Kind,
    whom: Whom,
    reason: Annotated[str, Form(max_length=1000)],
    whole_person: Ticked = False,  # noqa: FBT002 - a ticked box
    sure: Ticked = False,  # noqa: FBT002 - a ticked box
) -> Response:
    """Erase a person."""
    if not sure:
        raise InputError("tick that nothing of it can be brought back")
    erasure = actions.erase_person(
        actor, **_named(kind, whom), whole_person=whole_person, reason=reason
    )
    notice = gettext("The erasure is under way; its receipts appear here.")
    return back_to(request, f"{PATH}/{erasure.id}", notice)


@router.post("/export")
def export(
    actor: AdminDep,
    kind: Kind,
    whom: Whom,
    whole_person: Ticked = False,  # noqa: FBT002 - a ticked box
) -> Response:
    """Give all that is held about a person as a file."""
    held = actions.tell_person(actor, **_named(kind, whom), whole_person=whole_person)
    return Response(
        orjson.dumps(held, option=orjson.OPT_INDENT_2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="what-is-held.json"'},
    )


@router.get("/{erasure_id}")
def receipts(_admin: AdminUserDep, page: PageDep, erasure_id: int) -> Response:
    """Show an erasure with its receipts."""
    return page.show("erasure.html", {"erasure": get_erasure(page.state.sessions, erasure_id)})


def _named(kind: str, whom: str) -> dict[str, str]:
    return {kind: whom.strip()}
