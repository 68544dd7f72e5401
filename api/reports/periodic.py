"""Reports that come again and again: a brand's week, response times; as HTML, PDF and CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from markupsafe import Markup
from sqlalchemy.orm import Session

from api.formats import day
from api.language import gettext
from api.reports.pdf import to_pdf
from api.reports.render import environment, style_sheet
from api.reports.svg import curve_svg
from crm_link.board.tables import as_csv
from crm_link.reporting.response_times import (
    DEFINITION,
    ResponseTimes,
    read_response_times,
    responses_table,
)
from crm_link.reporting.weekly import GRAIN_S, WeeklyReport, read_weekly, weekly_table
from listener.models import Brand


class PeriodicKind(StrEnum):
    """What a report is about."""

    WEEKLY = "weekly"
    RESPONSES = "responses"


class PeriodicForm(StrEnum):
    """What it can be written as."""

    HTML = "html"
    PDF = "pdf"
    CSV = "csv"


MEDIA_TYPES = {
    PeriodicForm.HTML: "text/html; charset=utf-8",
    PeriodicForm.PDF: "application/pdf",
    PeriodicForm.CSV: "text/csv; charset=utf-8",
}

#: Weeks that response times look back over.
RESPONSE_WEEKS = 8


@dataclass(frozen=True, slots=True)
class PeriodicReport:
    """A report that has been read.

    Args:
        kind: What it is about.
        brand: Of which brand.
        content: Its facts.
        title: How it is called.

    """

    kind: PeriodicKind
    brand: Brand
    content: WeeklyReport | ResponseTimes
    title: str
    made_at: datetime

    def file_name(self, form: PeriodicForm) -> str:
        """Return how a file of it is called."""
        return (
            f"{self.brand.key.replace(':', '-')}-{self.kind}-{self.content.since:%Y-%m-%d}.{form}"
        )


def read_periodic(
    session: Session,
    kind: PeriodicKind,
    brand: Brand,
    until: datetime,
    *,
    now: datetime,
    at_once: bool = False,
) -> PeriodicReport:
    """Return a report whose window ends at `until`: one week, or the weeks of response times.

    Where somebody waits (`at_once`), a large week has the topics that were found in advance.
    """
    if kind is PeriodicKind.WEEKLY:
        weekly = read_weekly(
            session, brand, until - timedelta(weeks=1), until, now=now, at_once=at_once
        )
        # A week of a zone may begin a bucket before its Monday: see `schedules.week_end`.
        monday = weekly.since + timedelta(seconds=GRAIN_S)
        title = gettext("%(brand)s: week of %(day)s", brand=brand.name, day=day(monday))
        return PeriodicReport(kind, brand, weekly, title, now)
    since = until - timedelta(weeks=RESPONSE_WEEKS)
    times = read_response_times(session, brand.id, since, until, now=now)
    title = gettext(
        "%(brand)s: response times, %(begin)s to %(end)s",
        brand=brand.name,
        begin=day(since),
        end=day(until),
    )
    return PeriodicReport(kind, brand, times, title, now)


def render_periodic(report: PeriodicReport, form: PeriodicForm, *, public_url: str = "") -> bytes:
    """Return a report as a file.

    Raises:
        InputError: PDF was asked for, and what makes it is not installed.

    """
    if form is PeriodicForm.CSV:
        content = report.content
        table = (
            weekly_table(content) if isinstance(content, WeeklyReport) else responses_table(content)
        )
        return as_csv(table).encode()
    page = _render("periodic.html.j2", report, public_url)
    return to_pdf(page) if form is PeriodicForm.PDF else page.encode()


def periodic_body(report: PeriodicReport) -> Markup:
    """Return a report as a part of a page that links its style sheet."""
    return Markup(_render("periodic_body.html.j2", report, ""))  # noqa: S704 - our own template


def _render(template: str, report: PeriodicReport, public_url: str) -> str:
    style, digest = style_sheet()
    content = report.content
    return (
        environment()
        .get_template(template)
        .render(
            report=report,
            content=content,
            times=content.responses if isinstance(content, WeeklyReport) else content,
            svg=Markup(curve_svg(content, []))  # noqa: S704 - escaped where it is drawn
            if isinstance(content, WeeklyReport)
            else "",
            seconds=_seconds,
            definition=DEFINITION,
            style=style,
            style_digest=digest,
            public_url=public_url.rstrip("/"),
        )
    )


def _seconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)
