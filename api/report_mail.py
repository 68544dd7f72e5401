"""Scheduled reports by mail: what a mail says and holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from api.formats import decimal, signed
from api.language import gettext, ngettext, reading_as
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
        with reading_as(mail.language, mail.zone):
            return _rendered(session, mail, clock(), public_url)

    return deliver_mails(sessions, render, clock=clock)


def _rendered(session: Session, mail: ReportMail, now: datetime, public_url: str) -> Rendered:
    form = PeriodicForm(mail.form)
    brand = session.get_one(Brand, mail.brand_id)
    report = read_periodic(session, PeriodicKind(mail.kind), brand, mail.until_at, now=now)
    content = render_periodic(report, form, public_url=public_url)
    body = (
        _words(report.content, public_url)
        if isinstance(report.content, WeeklyReport)
        else "\n".join((gettext("The response times are attached."), f"{public_url}/reports"))
    )
    media_type = MEDIA_TYPES[form].partition(";")[0]
    return Rendered(
        title=report.title,
        body=body,
        file=Attachment(report.file_name(form), media_type, content),
    )


def _words(report: WeeklyReport, public_url: str) -> str:
    """Return what the mail itself says of a week: counts only, no texts of posts."""
    lines = [
        ngettext(
            "%(mentions)s mention, %(before)s in the week before.",
            "%(mentions)s mentions, %(before)s in the week before.",
            report.mentions,
            mentions=decimal(report.mentions),
            before=decimal(report.mentions_before),
        ),
        gettext("Net sentiment: not judged.")
        if report.net.value is None
        else gettext("Net sentiment: %(net)s.", net=signed(report.net.value)),
        gettext(
            "Incidents: %(incidents)s. Mentions still open: %(open)s.",
            incidents=decimal(len(report.incidents)),
            open=decimal(report.responses.whole.open),
        ),
        "",
        gettext("The report is attached."),
        f"{public_url}/reports",
    ]
    return "\n".join(lines)
