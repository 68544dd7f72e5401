"""Scheduled reports by mail: what a mail says and holds."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from api.reports.periodic import (
    MEDIA_TYPES,
    PeriodicForm,
    PeriodicKind,
    read_periodic,
    render_periodic,
)
from config.clock import Clock
from crm_link.escalation.channel import Attachment
from crm_link.reporting import schedules
from crm_link.reporting.mailing import Rendered, deliver_mails
from crm_link.reporting.models import ReportMail
from crm_link.reporting.weekly import WeeklyReport
from listener.models import Brand


def send_reports(sessions: sessionmaker[Session], *, clock: Clock, public_url: str) -> int:
    """Queue the reports that are due and mail what is queued; return how many left."""
    schedules.queue_due(sessions, clock=clock)

    def render(session: Session, mail: ReportMail) -> Rendered:
        form = PeriodicForm(mail.form)
        brand = session.get_one(Brand, mail.brand_id)
        report = read_periodic(session, PeriodicKind(mail.kind), brand, mail.until_at, now=clock())
        content = render_periodic(report, form, public_url=public_url)
        media_type = MEDIA_TYPES[form].partition(";")[0]
        return Rendered(
            title=report.title,
            body=_words(report.content, public_url)
            if isinstance(report.content, WeeklyReport)
            else f"The response times are attached. {public_url}/reports",
            file=Attachment(report.file_name(form), media_type, content),
        )

    return deliver_mails(sessions, render, clock=clock)


def _words(report: WeeklyReport, public_url: str) -> str:
    """Return what the mail itself says of a week: counts only, no texts of posts."""
    net = "not judged" if report.net.value is None else f"{report.net.value:+.2f}"
    lines = [
        f"{report.mentions:,} mentions, {report.mentions_before:,} in the week before.",
        f"Net sentiment {net}.",
        f"{len(report.incidents)} incidents, {report.responses.whole.open} mentions still open.",
        "",
        "The report is attached.",
        f"{public_url}/reports",
    ]
    return "\n".join(lines)
