"""The audit log, for admins."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse

from api.audit_log import AuditFilter, csv_lines, list_events
from api.console.page import PageDep
from api.deps import AdminUserDep, StateDep
from api.language import zone
from api.paging import CursorQuery, decode_id, encode_cursor
from config.errors import InputError

router = APIRouter(prefix="/admin/audit")

#: Entries of one page.
ROWS = 100

Words = Annotated[str, Query(max_length=200)]
Day = Annotated[str, Query(max_length=10)]


def read_filter(
    who: Words = "", what: Words = "", about: Words = "", since: Day = "", until: Day = ""
) -> AuditFilter:
    """Return what the address asks for; days are the reader's, and both are meant whole."""
    return AuditFilter(who, what, about, _day(since), _day(until, days=1))


FilterDep = Annotated[AuditFilter, Depends(read_filter)]


@router.get("")
def audit_log(
    _admin: AdminUserDep,
    page: PageDep,
    wanted: FilterDep,
    cursor: CursorQuery = "",
    since: Day = "",
    until: Day = "",
) -> Response:
    """List what people did, the newest first."""
    events, after = list_events(page.session, wanted, before=decode_id(cursor), limit=ROWS)
    filters = {key: value for key, value in asdict(wanted).items() if isinstance(value, str)}
    context = {
        "events": events,
        "next_cursor": encode_cursor(after) if after else None,
        "filters": filters | {"since": since, "until": until},
        "is_first": not cursor,
    }
    return page.show("audit.html", context)


@router.get(".csv")
def audit_file(_admin: AdminUserDep, state: StateDep, wanted: FilterDep) -> Response:
    """Give what people did as a file."""
    return StreamingResponse(
        csv_lines(state.sessions, wanted),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def _day(text: str, *, days: int = 0) -> datetime | None:
    if not text:
        return None
    try:
        begin = datetime.combine(date.fromisoformat(text), time(), tzinfo=zone())
    except ValueError as error:
        raise InputError("'%(text)s' is no day; write for example 2026-03-01", text=text) from error
    return (begin + timedelta(days=days)).astimezone(UTC)
