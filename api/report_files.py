"""PDF files of reports as the console and the API offer them alike: asked for, then fetched.

A file is of what its reader may see: who sees other brands than whoever asked for it did is given
none that was made for them, and names of contacts are for those who may ask for names.
"""

from __future__ import annotations

from datetime import datetime

from fastapi.responses import JSONResponse, Response

from api.deps import Actor, may
from api.language import language, zone
from api.models import Role
from api.reports.render import MEDIA_TYPES, Format
from api.schemas.periodic import ReportFileOut
from config.clock import to_utc
from config.errors import ConflictError, InputError, NotFoundError, PermissionDeniedError
from crm_link.escalation.incidents import get_incident
from crm_link.mentions import get_brand
from crm_link.reporting import files
from crm_link.reporting.files import Wanted
from crm_link.reporting.models import FileKind, FileState, ReportFile
from crm_link.reporting.response_times import week_of

#: Seconds after which asking again is worth while.
ASK_AGAIN_S = 2


def wanted_report(actor: Actor, incident_id: int, *, with_people: bool = False) -> Wanted:
    """Return what a file of an incident's report is to hold, for whoever asks.

    Raises:
        NotFoundError: There is no such incident, or it is of a brand that they do not see.
        PermissionDeniedError: They may not see names of contacts.

    """
    _require_names(actor, with_people=with_people)
    return Wanted(
        kind=FileKind.INCIDENT,
        brand_id=get_incident(actor.session, incident_id).brand_id,
        language=language(),
        zone=zone().key,
        incident_id=incident_id,
        with_people=with_people,
        seen_brands=files.as_words(actor.brands),
    )


def wanted_periodic(actor: Actor, kind: FileKind, brand: str, until: datetime | None) -> Wanted:
    """Return what a file of a brand's week or response times is to hold, for whoever asks.

    Raises:
        InputError: The end of the window has no zone.
        NotFoundError: There is no such brand, or they do not see it.

    """
    return Wanted(
        kind=kind,
        brand_id=get_brand(actor.session, brand).id,
        language=language(),
        zone=zone().key,
        until_at=to_utc(until) if until else week_of(actor.clock()),
        seen_brands=files.as_words(actor.brands),
    )


def wanted_of(
    actor: Actor,
    kind: FileKind,
    *,
    brand: str,
    until: datetime | None,
    incident_id: int | None,
    with_people: bool,
) -> Wanted:
    """Return what a form asks for, whatever kind of report it is.

    Raises:
        InputError: It is about an incident and says none.
        NotFoundError: There is no such brand or incident for them.
        PermissionDeniedError: They may not see names of contacts.

    """
    if kind is not FileKind.INCIDENT:
        return wanted_periodic(actor, kind, brand, until)
    if incident_id is None:
        raise InputError("say which incident")
    return wanted_report(actor, incident_id, with_people=with_people)


def ask(actor: Actor, wanted: Wanted, *, anew: bool = False) -> ReportFile:
    """Ask for a file; return what will be it, or what is there already."""
    now = actor.clock()
    return files.ask_for_file(actor.session, wanted, by_id=actor.user.id, now=now, anew=anew)


def find(actor: Actor, wanted: Wanted) -> ReportFile | None:
    """Return a file of the same that is being made or fresh, without asking for one."""
    return files.find_file(actor.session, wanted, now=actor.clock())


def get(actor: Actor, file_id: int) -> ReportFile:
    """Return a file that whoever asks may have.

    Raises:
        NotFoundError: There is none, it is too old, or it was made for one who sees other brands.
        PermissionDeniedError: It names contacts, and they may not see names.

    """
    file = files.get_file(actor.session, file_id, now=actor.clock())
    if file.seen_brands != files.as_words(actor.brands) and actor.brands is not None:
        raise NotFoundError("there is no file %(file_id)s of yours", file_id=file_id)
    _require_names(actor, with_people=file.with_people)
    return file


def given(actor: Actor, file: ReportFile) -> Response:
    """Return a file that is ready.

    Raises:
        NotFoundError: It is gone meanwhile.

    """
    return Response(
        files.read_content(actor.session, file),
        media_type=MEDIA_TYPES[Format.PDF],
        headers={"Content-Disposition": f'attachment; filename="{file.file_name}"'},
    )


def answer(actor: Actor, file: ReportFile) -> Response:
    """Return the file to a program, or where and when it is to ask for it.

    Raises:
        ConflictError: It could not be made; the message says why.

    """
    if file.state is FileState.READY:
        return given(actor, file)
    if file.state is FileState.FAILED:
        raise ConflictError(file.last_error or "the file could not be made")
    address = f"/api/v1/report-files/{file.id}"
    out = ReportFileOut(id=file.id, state=file.state, address=address)
    return JSONResponse(
        out.model_dump(mode="json"),
        status_code=202,
        headers={"Location": address, "Retry-After": str(ASK_AGAIN_S)},
    )


def _require_names(actor: Actor, *, with_people: bool) -> None:
    if with_people and not may(actor.user, Role.COMMUNITY_MANAGER):
        raise PermissionDeniedError("a report that names contacts needs the role community_manager")
