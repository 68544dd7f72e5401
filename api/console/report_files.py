"""The PDF file of a report: asked for, waited for on a small page, fetched from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import report_files
from api.console.page import Page, PageDep
from api.deps import Actor, AnybodyDep, brands_of_request
from api.formats import iso, query
from api.pages import back_to, is_htmx, render
from crm_link.reporting.files import Wanted
from crm_link.reporting.models import FileKind, FileState, ReportFile
from listener.models import Brand

router = APIRouter(prefix="/reports/files")


@router.post("")
def ask(
    request: Request,
    actor: AnybodyDep,
    kind: Annotated[FileKind, Form()],
    brand: Annotated[str, Form(max_length=100)] = "",
    until: Annotated[datetime | None, Form()] = None,
    incident: Annotated[int | None, Form()] = None,
    people: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field
) -> Response:
    """Ask for a report as PDF, and lead to where it will be."""
    wanted = report_files.wanted_of(
        actor, kind, brand=brand, until=until, incident_id=incident, with_people=people
    )
    return back_to(request, address_of(report_files.ask(actor, wanted)))


@router.post("/{file_id}/again")
def ask_again(request: Request, actor: AnybodyDep, file_id: int) -> Response:
    """Ask for the same once more, from what is known now."""
    file = report_files.get(actor, file_id)
    made = report_files.ask(actor, Wanted.of(file), anew=True)
    return back_to(request, address_of(made))


@router.get("/{file_id}.pdf")
def fetch(page: PageDep, file_id: int) -> Response:
    """Give the file, or lead to where it says how far it is."""
    actor = actor_of(page)
    file = report_files.get(actor, file_id)
    if file.state is not FileState.READY:
        return RedirectResponse(address_of(file), status_code=303)
    return report_files.given(actor, file)


@router.get("/{file_id}")
def show(page: PageDep, file_id: int, seen: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Show how far a file is, and offer it when it is there."""
    file = report_files.get(actor_of(page), file_id)
    if not is_htmx(page.request):
        return _shown(page, file, Wanted.of(file))
    # Nothing new is nothing to say again to who listens to the page.
    if seen == file.state:
        return Response(status_code=204)
    return render(page.request, "_report_file.html", {"file": file, "now": page.state.clock()})


def find_or_offer(page: Page, wanted: Callable[[Actor], Wanted]) -> Response:
    """Answer a link to a PDF: with the file, with where it is being made, or with a button.

    A browser follows a link before anybody has pressed it, and so do previews of messages: none of
    these has a file made.
    """
    actor = actor_of(page)
    what = wanted(actor)
    file = report_files.find(actor, what)
    if file is None:
        return _shown(page, None, what)
    if file.state is FileState.READY:
        return report_files.given(actor, file)
    return RedirectResponse(address_of(file), status_code=303)


def actor_of(page: Page) -> Actor:
    """Return who looks at a page, as who asks for a file."""
    brands = brands_of_request(page.request)
    return Actor(page.session, page.user, page.state.clock, brands)


def address_of(file: ReportFile) -> str:
    """Return the address of a file's page."""
    return f"/reports/files/{file.id}"


def _shown(page: Page, file: ReportFile | None, wanted: Wanted) -> Response:
    brand = page.session.get_one(Brand, wanted.brand_id)
    back = f"/incidents/{wanted.incident_id}/report"
    if wanted.kind is not FileKind.INCIDENT:
        asked = query({"brand": brand.key, "until": wanted.until_at and iso(wanted.until_at)})
        back = f"/reports/{wanted.kind}?{asked}"
    return page.show(
        "report_file.html", {"file": file, "wanted": wanted, "brand": brand, "back": back}
    )
