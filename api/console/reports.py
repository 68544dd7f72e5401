"""After-action reports: the page, the files, and what people write afterwards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import report_files, reviewing
from api.console.page import PageDep
from api.console.report_files import find_or_offer
from api.deps import PrLeadDep
from api.language import gettext
from api.pages import back_to
from api.reports.render import Format, report_body
from crm_link.escalation.report import read_report

#: Whether contacts are named.
NamePeople = Annotated[bool, Query(description="Name the contacts who spoke.")]

router = APIRouter(prefix="/incidents")


@router.get("/{incident_id}/report")
def report(page: PageDep, incident_id: int) -> Response:
    """Show the report of an incident."""
    found = read_report(page.session, incident_id, now=page.state.clock())
    context = {"report": found, "incident": found.incident, "body": report_body(found)}
    return page.show("report.html", context)


@router.get("/{incident_id}/report.{form}")
def report_file(
    page: PageDep,
    incident_id: int,
    form: Format,
    people: NamePeople = False,  # noqa: FBT002 - a query
) -> Response:
    """Give the report as a file, or offer to make a PDF."""
    if form is Format.PDF:
        return find_or_offer(
            page, lambda actor: report_files.wanted_report(actor, incident_id, with_people=people)
        )
    return reviewing.report_file(
        page.session, page.state, page.user, incident_id, form, with_people=people
    )


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form whose names the protocol says."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.post("/{incident_id}/review")
def review(
    request: Request,
    actor: PrLeadDep,
    fields: Annotated[dict[str, str], Depends(read_fields)],
    incident_id: int,
) -> Response:
    """Store what people wrote afterwards."""
    reviewing.write_review(actor, incident_id, fields)
    said = gettext("The review is stored.")
    return back_to(request, f"/incidents/{incident_id}/report", said)
