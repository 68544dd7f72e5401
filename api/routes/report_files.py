"""PDF files of reports: made in the background, and asked for until they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api import report_files
from api.deps import Actor, SessionsDep, StateDep, UserDep, brands_of_request, get_user
from api.schemas.base import ErrorOut
from api.schemas.periodic import ReportFileOut
from config.db import read_session
from crm_link.reporting.files import Wanted

router = APIRouter(tags=["drills and reports"], dependencies=[Depends(get_user)])

#: What is answered while a PDF is made, and where it could not be.
MADE_APART: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/pdf": {}}},
    202: {
        "model": ReportFileOut,
        "description": "A PDF is being made: ask `Location` again after `Retry-After` seconds.",
    },
    409: {"model": ErrorOut, "description": "The PDF could not be made; the message says why."},
}


class Asker:
    """Whoever asks for a PDF, before it is known whether that writes anything."""

    def __init__(
        self, request: Request, user: UserDep, sessions: SessionsDep, state: StateDep
    ) -> None:
        """Take what a request says of them."""
        self._who = (user, state.clock, brands_of_request(request))
        self._sessions = sessions

    def ask(self, wanted: Callable[[Actor], Wanted]) -> Response:
        """Answer with the file, or with where it will be.

        Asking twice gives the same one, so that a GET may do it: what is kept is what was made of
        the facts, no change of these.
        """
        with self._sessions.begin() as session:
            actor = Actor(session, *self._who)
            return report_files.answer(actor, report_files.ask(actor, wanted(actor)))

    def fetch(self, file_id: int) -> Response:
        """Answer with a file that was asked for, or with how far it is."""
        with read_session(self._sessions) as session:
            actor = Actor(session, *self._who)
            return report_files.answer(actor, report_files.get(actor, file_id))


AskerDep = Annotated[Asker, Depends(Asker)]


@router.get("/report-files/{file_id}", response_class=Response, responses=MADE_APART)
def read_file(asker: AskerDep, file_id: int) -> Response:
    """Return a PDF that was asked for, or say how far it is. It is kept for a day."""
    return asker.fetch(file_id)
