"""What people change about scheduled reports, written to the audit log.

Apart from what the worker does with them, which has no need of the web.
"""

from __future__ import annotations

from api.deps import Actor
from crm_link.mentions import get_brand
from crm_link.reporting import schedules
from crm_link.reporting.models import ReportMail, ReportSchedule


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
