from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.auditor import audit
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.duty.reminders import remind
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol_parts.file import parse_pinned
from crm_link.escalation.reports.review import write_review
from listener.models import Brand
from tests.make import NOW, make_brand

PROTOCOL = """
version: 1
contacts:
  - {id: anna, role: social_manager, deputy: ben, channels: [{kind: log}]}
  - {id: ben, role: crisis_lead, deputy: anna, channels: [{kind: log}]}
severity:
  - {level: SEV-3, any: [{negatives_gte: 20, window: 1h}], ack: 15m}
escalation:
  default: {steps: [{notify: [social_manager], after: 0m}, {notify: [crisis_lead], after: 5m}]}
"""
DRILLS = PROTOCOL + "drills: {every: 90d}\n"
AFTER = PROTOCOL + "after: {review_within: 5d, fields: [timeline, lessons]}\n"


class MovableClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_brand(session).id


def told(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Notification.contact).order_by(Notification.id)))


def open_topics(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Incident.topic).where(Incident.open_key.is_not(None))))


def test_an_overdue_drill_is_told_once_a_month_and_climbs_no_chain(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    clock, protocols = MovableClock(), {brand_id: parse_pinned(DRILLS)}

    clock.now = NOW + timedelta(days=80)
    assert remind(sessions, protocols, clock=clock) == 0  # the brand is younger than 90 days
    clock.now = NOW + timedelta(days=91)
    assert remind(sessions, protocols, clock=clock) == 1
    for _ in range(3):
        clock.now += timedelta(days=5)
        assert remind(sessions, protocols, clock=clock) == 0
        assert audit(sessions, protocols, clock=clock) == []
    assert told(sessions) == ["anna"]
    clock.now += timedelta(days=16)
    assert remind(sessions, protocols, clock=clock) == 1
    assert told(sessions) == ["anna", "anna"]

    held = clock.now.date().isoformat()
    protocols = {brand_id: parse_pinned(DRILLS.replace("90d}", f"90d, last: {held}}}"))}
    assert remind(sessions, protocols, clock=clock) == 1
    assert open_topics(sessions) == []


def test_a_protocol_that_asks_for_nothing_is_reminded_of_nothing(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    clock = MovableClock()
    clock.now = NOW + timedelta(days=500)

    assert remind(sessions, {brand_id: parse_pinned(PROTOCOL)}, clock=clock) == 0


def test_a_review_that_is_overdue_is_told_until_it_is_written(
    sessions: sessionmaker[Session], brand_id: int
) -> None:
    clock, protocol = MovableClock(), parse_pinned(AFTER)
    with sessions.begin() as session:
        incident = Incident(
            brand_id=brand_id,
            protocol_version_id=pin_protocol(session, brand_id, protocol, NOW),
            topic="general",
            title="made up",
            status=IncidentStatus.RESOLVED,
            severity="SEV-3",
            opened_at=NOW,
            last_seen_at=NOW,
            acknowledged_at=NOW,
            resolved_at=NOW,
            resolved_by="anna",
            facts={},
            peak={},
        )
        session.add(incident)
        session.flush()
        incident_id = incident.id

    clock.now = NOW + timedelta(days=4)
    assert remind(sessions, {brand_id: protocol}, clock=clock) == 0
    clock.now = NOW + timedelta(days=6)
    assert remind(sessions, {brand_id: protocol}, clock=clock) == 1
    assert open_topics(sessions) == [f"!review overdue {incident_id}"]
    with sessions.begin() as session:
        assert session.get_one(Brand, brand_id)
        review = write_review(
            session, incident_id, {"lessons": "Call first."}, by="anna", now=clock.now
        )

    assert (review.is_overdue, review.written) == (False, {"lessons": "Call first."})
    assert open_topics(sessions) == []
    assert remind(sessions, {brand_id: protocol}, clock=clock) == 0
