"""Reports: a brand's week, response times, incidents; what is mailed, when and to whom."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api import report_files, report_schedules
from api.console.filters import brand_options
from api.console.page import PageDep
from api.console.report_files import find_or_offer
from api.deps import PrLeadDep
from api.language import LANGUAGES, gettext, language
from api.pages import back_to
from api.reports.periodic import PeriodicForm, PeriodicKind, periodic_body, read_periodic
from api.routes.periodic import ask_for_topics, periodic_file, window_end
from config.errors import NotFoundError
from crm_link.board.week_topics import WEEKS
from crm_link.escalation.incidents import list_incidents
from crm_link.mentions import get_brand
from crm_link.reporting import schedules
from crm_link.reporting.mailing import has_mail_server
from crm_link.reporting.models import FileKind

router = APIRouter(prefix="/reports")

BrandQuery = Annotated[str, Query(max_length=100)]
UntilQuery = Annotated[datetime | None, Query()]


@router.get("")
def reports(page: PageDep) -> Response:
    """Show what reports there are, and what is mailed."""
    end = window_end(page.state, None)
    return page.show(
        "reports.html",
        {
            "brand_options": brand_options(page.session),
            "weeks": [end - timedelta(weeks=number) for number in range(WEEKS)],
            "kinds": [kind.value for kind in PeriodicKind],
            "languages": LANGUAGES,
            "forms": [form.value for form in PeriodicForm],
            "incidents": [
                one for one in list_incidents(page.session, limit=10) if one.is_about_mentions
            ],
            "schedules": schedules.list_schedules(page.session),
            "mails": schedules.list_mails(page.session),
            "has_mail_server": has_mail_server(),
        },
    )


@router.get("/{kind}.{form}")
def report_file(
    page: PageDep,
    kind: PeriodicKind,
    form: PeriodicForm,
    brand: BrandQuery,
    until: UntilQuery = None,
) -> Response:
    """Give a report as a file, or offer to make a PDF."""
    if form is PeriodicForm.PDF:
        return find_or_offer(
            page, lambda actor: report_files.wanted_periodic(actor, FileKind(kind), brand, until)
        )
    end = window_end(page.state, until)
    chosen = get_brand(page.session, brand)
    found = read_periodic(page.session, kind, chosen, end, now=page.state.clock(), at_once=True)
    ask_for_topics(page.state, found)
    return periodic_file(found, form, page.state)


@router.get("/{kind}")
def report(
    page: PageDep, kind: PeriodicKind, brand: BrandQuery = "", until: UntilQuery = None
) -> Response:
    """Show a report as a page."""
    brands = brand_options(page.session)
    if not brands:
        raise NotFoundError("there is no brand yet; brands stand in brands.yaml")
    chosen = get_brand(page.session, brand or brands[0][0])
    end = window_end(page.state, until)
    found = read_periodic(page.session, kind, chosen, end, now=page.state.clock(), at_once=True)
    ask_for_topics(page.state, found)
    weeks = [window_end(page.state, None) - timedelta(weeks=number) for number in range(WEEKS)]
    return page.show(
        "report_periodic.html",
        {
            "report": found,
            "body": periodic_body(found),
            "brand": chosen.key,
            "brand_options": brands,
            "until": end,
            "weeks": weeks if end in weeks else [end, *weeks],
            "is_waiting": getattr(found.content, "every", 1) is None,
        },
    )


@router.post("/schedules")
def add_schedule(
    request: Request,
    actor: PrLeadDep,
    brand: Annotated[str, Form(max_length=100)],
    kind: Annotated[PeriodicKind, Form()],
    form: Annotated[PeriodicForm, Form()],
    weekday: Annotated[int, Form()],
    hour: Annotated[int, Form()],
    zone: Annotated[str, Form(max_length=60)],
    recipients: Annotated[str, Form(max_length=10_000)] = "",
    written_in: Annotated[str, Form(max_length=10, alias="language")] = "",
) -> Response:
    """Mail a report every week."""
    plan = schedules.Plan(
        kind=kind.value,
        form=form.value,
        weekday=weekday,
        hour=hour,
        zone=zone.strip(),
        recipients=re.split(r"[\s,;]+", recipients),
        language=written_in if written_in in LANGUAGES else language(),
    )
    report_schedules.add_schedule(actor, brand, plan)
    return back_to(request, "/reports", gettext("The report is scheduled."))


@router.post("/schedules/{schedule_id}/end")
def end_schedule(request: Request, actor: PrLeadDep, schedule_id: int) -> Response:
    """Mail nothing more by a schedule."""
    report_schedules.end_schedule(actor, schedule_id)
    return back_to(request, "/reports", gettext("Nothing more is mailed by it."))


@router.post("/schedules/{schedule_id}/send")
def send_now(request: Request, actor: PrLeadDep, schedule_id: int) -> Response:
    """Mail a schedule's report at once."""
    report_schedules.send_now(actor, schedule_id)
    return back_to(request, "/reports", gettext("It is on its way; the history below says how."))


@router.post("/mails/{mail_id}/retry")
def retry_mail(request: Request, actor: PrLeadDep, mail_id: int) -> Response:
    """Try a mail again that was given up."""
    report_schedules.retry_mail(actor, mail_id)
    return back_to(request, "/reports", gettext("It is tried again."))
