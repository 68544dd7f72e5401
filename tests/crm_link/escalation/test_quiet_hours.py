"""Quiet hours: mild incidents wait for the morning, severe ones wake people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.incidents import set_severity
from crm_link.escalation.models import Notification
from crm_link.models import DeliveryStatus
from tests.crm_link.escalation.opened import open_incident
from tests.crm_link.making import MovableClock

QUIET = {"tz: Europe/Madrid": "tz: Europe/Madrid, quiet_hours: 22:00-07:00"}


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # Winter: Madrid is an hour ahead of UTC.
        (datetime(2026, 1, 10, 23, 30, tzinfo=UTC), datetime(2026, 1, 11, 6, 0, tzinfo=UTC)),
        # The night in which the clocks go forward: quiet hours are an hour shorter.
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        # The night in which they go back.
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
        (datetime(2026, 1, 10, 20, 59, tzinfo=UTC), datetime(2026, 1, 10, 20, 59, tzinfo=UTC)),
    ],
)
def test_a_mild_incident_waits_for_the_end_of_quiet_hours_on_the_contacts_clock(
    sessions: sessionmaker[Session], now: datetime, until: datetime
) -> None:
    open_incident(sessions, MovableClock(now), words=QUIET)

    with sessions() as session:
        assert session.scalars(select(Notification.next_attempt_at)).one() == until


def test_a_severe_incident_wakes_people(sessions: sessionmaker[Session]) -> None:
    night = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)

    open_incident(sessions, MovableClock(night), 25, words=QUIET)

    with sessions() as session:
        assert session.scalars(select(Notification.next_attempt_at)).one() == night


def test_a_message_that_waits_leaves_at_once_when_it_gets_serious(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(datetime(2026, 1, 10, 23, 30, tzinfo=UTC))
    incident_id = open_incident(sessions, clock, words=QUIET)

    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-1", by="d@e.f", clock=clock)

    with sessions() as session:
        waiting = session.execute(
            select(Notification.next_attempt_at, Notification.status).order_by(Notification.id)
        ).all()
    assert [status for _, status in waiting] == [DeliveryStatus.CANCELLED, DeliveryStatus.PENDING]
    assert waiting[1].next_attempt_at == clock()
