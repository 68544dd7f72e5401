from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError
from crm_link.models import DeliveryStatus
from crm_link.reporting.models import ReportMail, ReportSchedule
from crm_link.reporting.schedules import (
    Plan,
    add_schedule,
    end_schedule,
    next_due,
    queue_due,
    retry_mail,
    send_now,
    week_end,
)
from tests.make import NOW, make_brand

#: Wednesday; the schedule is for Mondays.
MONDAY = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


def plan(*recipients: str, **changes: object) -> Plan:
    values: dict[str, object] = {
        "kind": "weekly",
        "form": "html",
        "weekday": 0,
        "hour": 8,
        "zone": "Europe/Madrid",
        "recipients": recipients or ("kim@example.org", "jo@example.org"),
    }
    return Plan(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def schedule_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        brand = make_brand(session)
        return add_schedule(session, brand.id, plan(), by="admin", now=NOW).id


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("Europe/Madrid", NOW, MONDAY),
        ("Europe/Madrid", MONDAY, MONDAY + timedelta(days=7)),
        ("Europe/Madrid", MONDAY - timedelta(seconds=1), MONDAY),
        # Summer time begins on 29 March: eight o'clock is an hour earlier in UTC.
        ("Europe/Madrid", datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, 6, tzinfo=UTC)),
        ("Pacific/Auckland", NOW, datetime(2026, 3, 8, 19, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_by_the_clock_on_the_wall(zone: str, now: datetime, due: datetime) -> None:
    assert next_due(0, 8, zone, now) == due


def test_a_week_ends_where_the_schedule_is() -> None:
    sunday_evening = datetime(2026, 3, 8, 19, tzinfo=UTC)

    assert week_end("UTC", sunday_evening) == datetime(2026, 3, 2, tzinfo=UTC)
    assert week_end("Pacific/Auckland", sunday_evening) == datetime(2026, 3, 8, 6, tzinfo=UTC)


def test_a_report_is_queued_once_however_often_and_late_the_job_runs(
    sessions: sessionmaker[Session], schedule_id: int
) -> None:
    assert queue_due(sessions, clock=lambda: NOW) == 0
    late = MONDAY + timedelta(days=16)
    assert queue_due(sessions, clock=lambda: late) == 2
    assert queue_due(sessions, clock=lambda: late) == 0
    with sessions.begin() as session:
        schedule = session.get_one(ReportSchedule, schedule_id)
        assert schedule.next_due_at == datetime(2026, 3, 30, 6, tzinfo=UTC)  # summer time
        # A job that crashed before it moved the schedule on, and ran again.
        schedule.next_due_at = MONDAY
    queue_due(sessions, clock=lambda: late)
    with sessions() as session:
        mails = session.scalars(select(ReportMail)).all()
        assert sorted(mail.recipient for mail in mails) == ["jo@example.org", "kim@example.org"]
        assert {mail.until_at for mail in mails} == {datetime(2026, 3, 22, 18, tzinfo=UTC)}


def test_an_ended_schedule_mails_nothing_and_now_means_now(
    sessions: sessionmaker[Session], schedule_id: int
) -> None:
    with sessions.begin() as session:
        assert send_now(session, schedule_id, now=NOW) == 2
        end_schedule(session, schedule_id)

    assert queue_due(sessions, clock=lambda: MONDAY) == 0


def test_only_what_was_given_up_is_tried_again(
    sessions: sessionmaker[Session], schedule_id: int
) -> None:
    with sessions.begin() as session:
        send_now(session, schedule_id, now=NOW)
        mail = session.scalars(select(ReportMail)).first()
        assert mail is not None
        with pytest.raises(ConflictError, match="was not given up"):
            retry_mail(session, mail.id, now=NOW)
        mail.status = DeliveryStatus.DEAD
        session.flush()
        assert retry_mail(session, mail.id, now=NOW).status is DeliveryStatus.PENDING


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (plan("nobody"), "is no e-mail address"),
        (plan(" "), "give 1 to 50"),
        (plan(zone="Mars"), "is no time zone"),
        (plan(weekday=7), "weekday"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(session: Session, wrong: Plan, says: str) -> None:
    with pytest.raises(InputError, match=says):
        add_schedule(session, make_brand(session).id, wrong, by="admin", now=NOW)
