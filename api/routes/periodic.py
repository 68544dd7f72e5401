"""Weekly reports, response times, and reports by mail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from api import report_files, report_schedules
from api.deps import PrLeadDep, SessionDep, SessionsDep, State, StateDep, UserDep, get_user, may
from api.models import Role
from api.reports.periodic import (
    MEDIA_TYPES,
    RESPONSE_WEEKS,
    PeriodicForm,
    PeriodicKind,
    PeriodicReport,
    read_periodic,
    render_periodic,
)
from api.routes.report_files import MADE_APART, AskerDep
from api.schemas.periodic import MailOut, ResponseTimesOut, ScheduleIn, ScheduleOut
from config.clock import to_utc
from config.db import read_session
from crm_link.board.week_topics import ask_for_week
from crm_link.mentions import get_brand
from crm_link.reporting import schedules
from crm_link.reporting.models import FileKind
from crm_link.reporting.response_times import read_response_times, week_of
from crm_link.reporting.weekly import WeeklyReport

router = APIRouter(tags=["drills and reports"], dependencies=[Depends(get_user)])

BrandQuery = Annotated[str, Query(max_length=100, description="The brand's key.")]
UntilQuery = Annotated[
    datetime | None, Query(description="End of the window; empty: the last Monday, UTC.")
]


def window_end(state: State, until: datetime | None) -> datetime:
    """Return the end of a report's window, by default that of the last week that is over."""
    return to_utc(until) if until else week_of(state.clock())


def ask_for_topics(state: State, report: PeriodicReport) -> None:
    """Ask the worker for a week's topics where the report came without."""
    week = report.content
    if isinstance(week, WeeklyReport) and week.every is None:
        ask_for_week(state.sessions, report.brand.id, week.since, week.until, clock=state.clock)


def periodic_file(report: PeriodicReport, form: PeriodicForm, state: State) -> Response:
    """Return a report as a file that is quickly made."""
    content = render_periodic(report, form, public_url=state.settings.resolved_public_url())
    name = report.file_name(form)
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/reports/{kind}.{form}", response_class=Response, responses=MADE_APART)
def read_report_file(
    asker: AskerDep,
    sessions: SessionsDep,
    state: StateDep,
    kind: PeriodicKind,
    form: PeriodicForm,
    brand: BrandQuery,
    until: UntilQuery = None,
) -> Response:
    """Return a week's report or response times: html, csv or pdf, made in the background."""
    if form is PeriodicForm.PDF:
        return asker.ask(
            lambda actor: report_files.wanted_periodic(actor, FileKind(kind), brand, until)
        )
    end = window_end(state, until)
    with read_session(sessions) as session:
        found = read_periodic(
            session, kind, get_brand(session, brand), end, now=state.clock(), at_once=True
        )
        ask_for_topics(state, found)
        return periodic_file(found, form, state)


@router.get("/response-times")
def read_responses(
    session: SessionDep,
    state: StateDep,
    brand: BrandQuery,
    since: datetime | None = None,
    until: UntilQuery = None,
) -> ResponseTimesOut:
    """Return how long people took, by priority, person and week; by default eight weeks."""
    end = to_utc(until) if until else state.clock()
    start = to_utc(since) if since else end - RESPONSE_WEEKS * schedules.WEEK
    brand_id = get_brand(session, brand).id
    found = read_response_times(session, brand_id, start, end, now=state.clock())
    return ResponseTimesOut.model_validate(found)


@router.get("/report-schedules")
def read_schedules(session: SessionDep, user: UserDep) -> list[ScheduleOut]:
    """List the schedules that run; to which addresses is for PR leads."""
    shows = may(user, Role.PR_LEAD)
    found = schedules.list_schedules(session)
    return [ScheduleOut.of(one, shows_addresses=shows) for one in found]


@router.post("/report-schedules", status_code=201)
def add_schedule(actor: PrLeadDep, body: ScheduleIn) -> ScheduleOut:
    """Mail a report every week."""
    fields = body.model_dump(exclude={"brand"}, mode="json")
    made = report_schedules.add_schedule(actor, body.brand, schedules.Plan(**fields))
    return ScheduleOut.of(made, shows_addresses=True)


@router.post("/report-schedules/{schedule_id}/end")
def end_schedule(actor: PrLeadDep, schedule_id: int) -> ScheduleOut:
    """Mail nothing more by a schedule."""
    ended = report_schedules.end_schedule(actor, schedule_id)
    return ScheduleOut.of(ended, shows_addresses=True)


@router.post("/report-schedules/{schedule_id}/send", status_code=202)
def send_now(actor: PrLeadDep, schedule_id: int) -> dict[str, int]:
    """Mail a schedule's report at once, besides its times."""
    return {"queued": report_schedules.send_now(actor, schedule_id)}


@router.get("/report-mails")
def read_mails(
    session: SessionDep, user: UserDep, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[MailOut]:
    """List what was mailed or is to be, the newest first; to which address is for PR leads."""
    shows = may(user, Role.PR_LEAD)
    found = schedules.list_mails(session, limit=limit)
    return [MailOut.of(one, shows_addresses=shows) for one in found]


@router.post("/report-mails/{mail_id}/retry")
def retry_mail(actor: PrLeadDep, mail_id: int) -> MailOut:
    """Try a mail again that was given up. Answers 409 if it was not."""
    return MailOut.of(report_schedules.retry_mail(actor, mail_id), shows_addresses=True)
