"""When reports are mailed, and to whom: written by people, queued by the worker, once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, sessionmaker

from config.bulk import insert_new
from config.clock import Clock
from config.errors import ConflictError, InputError, NotFoundError
from crm_link.models import DeliveryStatus
from crm_link.reporting.models import ReportMail, ReportSchedule
from crm_link.reporting.response_times import week_of
from crm_link.reporting.weekly import GRAIN_S
from sentiment.rollups import bucket_of

#: Addresses of one schedule.
MOST_RECIPIENTS = 50

#: Reports come once in it.
WEEK = timedelta(weeks=1)

DAYS_OF_WEEK = 7
HOURS_OF_DAY = 24


@dataclass(frozen=True, slots=True)
class Plan:
    """What is mailed, when and to whom.

    Args:
        kind: weekly or responses.
        form: html, pdf or csv.
        weekday: 0 is Monday.
        hour: 0 to 23, in `zone`.
        zone: A time zone's name, for example Europe/Madrid.
        recipients: E-mail addresses.
        language: What it is written in: en, es.

    """

    kind: str
    form: str
    weekday: int
    hour: int
    zone: str
    recipients: Sequence[str]
    language: str = "en"


def add_schedule(
    session: Session, brand_id: int, plan: Plan, *, by: str, now: datetime
) -> ReportSchedule:
    """Store a schedule.

    Raises:
        InputError: An address, the day, the hour or the zone is none.

    """
    if plan.zone not in available_timezones():
        raise InputError(
            "'%(zone)s' is no time zone; write for example Europe/Madrid", zone=plan.zone
        )
    if plan.weekday not in range(DAYS_OF_WEEK) or plan.hour not in range(HOURS_OF_DAY):
        raise InputError("the weekday is 0 (Monday) to 6, the hour 0 to 23")
    schedule = ReportSchedule(
        brand_id=brand_id,
        kind=plan.kind,
        form=plan.form,
        weekday=plan.weekday,
        hour=plan.hour,
        zone=plan.zone,
        language=plan.language,
        recipients=_addresses(plan.recipients),
        is_active=True,
        next_due_at=next_due(plan.weekday, plan.hour, plan.zone, now),
        created_by=by,
        created_at=now,
    )
    session.add(schedule)
    session.flush()
    return schedule


def get_schedule(session: Session, schedule_id: int) -> ReportSchedule:
    """Return a schedule.

    Raises:
        NotFoundError: There is none.

    """
    found = session.scalar(
        select(ReportSchedule)
        .where(ReportSchedule.id == schedule_id)
        .options(joinedload(ReportSchedule.brand))
    )
    if found is None:
        raise NotFoundError("there is no schedule %(schedule_id)s", schedule_id=schedule_id)
    return found


def list_schedules(session: Session) -> Sequence[ReportSchedule]:
    """Return the schedules that run, by when they are due."""
    return session.scalars(
        select(ReportSchedule)
        .where(ReportSchedule.is_active)
        .options(joinedload(ReportSchedule.brand))
        .order_by(ReportSchedule.next_due_at, ReportSchedule.id)
    ).all()


def list_mails(session: Session, *, limit: int = 50) -> Sequence[ReportMail]:
    """Return what was mailed or is to be, the newest first."""
    return session.scalars(
        select(ReportMail)
        .options(joinedload(ReportMail.brand))
        .order_by(ReportMail.id.desc())
        .limit(limit)
    ).all()


def end_schedule(session: Session, schedule_id: int) -> ReportSchedule:
    """Mail nothing more by a schedule; what was mailed stays in the history."""
    schedule = get_schedule(session, schedule_id)
    schedule.is_active = False
    session.flush()
    return schedule


def send_now(session: Session, schedule_id: int, *, now: datetime) -> int:
    """Queue a schedule's report at once, besides its times; return how many mails."""
    schedule = get_schedule(session, schedule_id)
    return _queue(session, schedule, f"now {now.isoformat()}", now, now)


def retry_mail(session: Session, mail_id: int, *, now: datetime) -> ReportMail:
    """Try a mail again that was given up.

    Raises:
        NotFoundError: There is none.
        ConflictError: It was not given up.

    """
    mail = session.get(ReportMail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFoundError("there is no mail %(mail_id)s", mail_id=mail_id)
    if mail.status is not DeliveryStatus.DEAD:
        raise ConflictError(
            "mail %(mail_id)s is %(status)s; it was not given up",
            mail_id=mail_id,
            status=mail.status,
        )
    mail.status = DeliveryStatus.PENDING
    mail.attempts = 0
    mail.next_attempt_at = now
    session.flush()
    return mail


def queue_due(sessions: sessionmaker[Session], *, clock: Clock) -> int:
    """Queue the mails of every schedule that is due; return how many.

    Late or twice changes nothing: what was missed for weeks is mailed once, and the key of
    (schedule, due time, address) keeps a second run from mailing again.
    """
    now = clock()
    with sessions.begin() as session:
        due = session.scalars(
            select(ReportSchedule)
            .where(ReportSchedule.is_active, ReportSchedule.next_due_at <= now)
            .with_for_update(skip_locked=True)
        ).all()
        count = 0
        for schedule in due:
            due_at = schedule.next_due_at
            count += _queue(session, schedule, due_at.isoformat(), now, now)
            schedule.next_due_at = next_due(schedule.weekday, schedule.hour, schedule.zone, now)
        return count


def next_due(weekday: int, hour: int, zone: str, now: datetime) -> datetime:
    """Return the first time after `now` that is this weekday and hour in the zone."""
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=(weekday - local.weekday()) % DAYS_OF_WEEK)
    for _ in range(2):
        due = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if due > now:
            return due
        day += timedelta(days=DAYS_OF_WEEK)
    return due


def week_end(zone: str, at: datetime) -> datetime:
    """Return the end of the last week that is over in a zone, on the grid of the roll-ups.

    That is Monday at midnight there, or up to six hours earlier where that is on no grid.
    """
    monday = week_of(at.astimezone(ZoneInfo(zone)))
    return bucket_of(monday.astimezone(UTC), GRAIN_S)


def _queue(
    session: Session, schedule: ReportSchedule, key: str, at: datetime, now: datetime
) -> int:
    rows = [
        {
            "schedule_id": schedule.id,
            "brand_id": schedule.brand_id,
            "idempotency_key": f"{schedule.id}:{key}:{recipient}",
            "kind": schedule.kind,
            "form": schedule.form,
            "zone": schedule.zone,
            "language": schedule.language,
            "until_at": week_end(schedule.zone, at),
            "recipient": recipient,
            "status": DeliveryStatus.PENDING,
            "next_attempt_at": now,
            "created_at": now,
        }
        for recipient in schedule.recipients
    ]
    insert_new(session, ReportMail, rows, key=("idempotency_key",))
    return len(rows)


def _addresses(recipients: Sequence[str]) -> list[str]:
    found: list[str] = []
    for text in recipients:
        if not text.strip():
            continue
        try:
            address = validate_email(text.strip(), check_deliverability=False).normalized
        except EmailNotValidError as error:
            raise InputError("'%(text)s' is no e-mail address", text=text.strip()) from error
        found.append(address)
    if not found or len(found) > MOST_RECIPIENTS:
        raise InputError(
            "give 1 to %(most_recipients)s e-mail addresses", most_recipients=MOST_RECIPIENTS
        )
    return list(dict.fromkeys(found))
