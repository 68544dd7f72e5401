"""Making the PDF files that people asked for: by the worker, and by a server that has none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from api.brand_limits import limited_sessions
from api.jobs import guarded
from api.language import reading_as
from api.reports.periodic import PeriodicForm, PeriodicKind, read_periodic, render_periodic
from api.reports.printing import print_apart
from api.reports.render import Format, file_name, render_report
from config.clock import Clock, utc_now
from config.db import read_session
from crm_link.escalation.report import read_report
from crm_link.reporting import file_making
from crm_link.reporting.file_making import Made
from crm_link.reporting.files import from_words
from crm_link.reporting.models import ReportFile
from listener.models import Brand

#: Seconds between two looks of a server at files that nobody makes.
LOOK_EVERY_S = 2.0

#: How long a server leaves a file to the workers.
LEFT_TO_WORKERS = timedelta(seconds=3)

#: Seconds that a server waits, at its end, until the file that is being made is given back.
END_WITHIN_S = 5.0


def make_files(
    sessions: sessionmaker[Session],
    *,
    clock: Clock,
    public_url: str,
    waited: timedelta = timedelta(0),
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Make the files that people wait for; return how many were made.

    Args:
        sessions: Factory of sessions.
        clock: The present.
        public_url: The console's address, for links back.
        waited: How long a file must have waited.
        is_stopping: Says whether this process stops; the file is left to another one then.

    """

    def make(file: ReportFile, is_ours: Callable[[], bool]) -> Made:
        name, page = _page(sessions, file, clock(), public_url)
        content = print_apart(page, is_wanted=lambda: not is_stopping() and is_ours())
        return Made(name, content)

    return file_making.make_files(
        sessions, make, clock=clock, waited=waited, is_stopping=is_stopping
    )


@contextmanager
def making_files(sessions: sessionmaker[Session], *, public_url: str) -> Iterator[None]:
    """Make files in the background meanwhile, where no worker takes them."""
    stopping = threading.Event()

    def make() -> None:
        make_files(
            sessions,
            clock=utc_now,
            public_url=public_url,
            waited=LEFT_TO_WORKERS,
            is_stopping=stopping.is_set,
        )

    def run() -> None:
        job = guarded("files", make)
        while not stopping.wait(LOOK_EVERY_S):
            job()

    # A daemon: the server's end waits for it no longer than it says.
    thread = threading.Thread(target=run, name="make-files", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(END_WITHIN_S)


def _page(
    sessions: sessionmaker[Session], file: ReportFile, now: datetime, public_url: str
) -> tuple[str, bytes]:
    """Return how a file is called and the page that is printed, as its reader would see it."""
    seen = limited_sessions(sessions, from_words(file.seen_brands))
    with reading_as(file.language, file.zone), read_session(seen) as session:
        if file.incident_id is not None:
            found = read_report(session, file.incident_id, now=now, with_people=file.with_people)
            page = render_report(found, Format.HTML, public_url=public_url)
            return file_name(found, Format.PDF), page
        brand = session.get_one(Brand, file.brand_id)
        report = read_periodic(
            session,
            PeriodicKind(file.kind),
            brand,
            file.until_at or now,
            now=now,
            # What the page says that it was asked for from.
            at_once=True,
        )
        page = render_periodic(report, PeriodicForm.HTML, public_url=public_url)
        return report.file_name(PeriodicForm.PDF), page
