"""Scheduled reports by mail: what a mail says and holds, and what people change."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from api.deps import Actor
from api.reports.periodic import (
    MEDIA_TYPES,
    PeriodicForm,
    PeriodicKind,
    read_periodic,
    render_periodic,
)
from config.clock import Clock
from crm_link.escalation.channel import Attachment
from crm_link.mentions import get_brand
from crm_link.reporting import schedules
from crm_link.reporting.mailing import Rendered, deliver_mails
from crm_link.reporting.models import ReportMail, ReportSchedule
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


def add_schedule(actor: Actor, brand: str, plan: schedules.Plan) -> ReportSchedule:
    """Mail a report every week from now on."""
    brand_id = get_brand(actor.session, brand).id
    found = schedules.add_schedule(actor.session, brand_id, plan, by=actor.name, now=actor.clock())
    actor.record("report scheduled", f"schedule {found.id}")
    return found


def end_schedule(actor: Actor, schedule_id: int) -> ReportSchedule:
    """Mail nothing more by a schedule."""
    found = schedules.end_schedule(actor.session, schedule_id)
    actor.record("report schedule ended", f"schedule {schedule_id}")
    return found


def send_now(actor: Actor, schedule_id: int) -> int:
    """Mail a schedule's report at once; return to how many addresses."""
    count = schedules.send_now(actor.session, schedule_id, now=actor.clock())
    actor.record("report sent now", f"schedule {schedule_id}")
    return count


def retry_mail(actor: Actor, mail_id: int) -> ReportMail:
    """Try a mail again that was given up."""
    mail = schedules.retry_mail(actor.session, mail_id, now=actor.clock())
    actor.record("report mail retried", f"mail {mail_id}")
    return mail


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
