"""A brand-wide incident keeps the mild ones of its topics quiet."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.incidents import resolve, set_severity
from tests.crm_link.escalation.silencing import burst, incidents_of
from tests.crm_link.escalation.timelines import told_of
from tests.crm_link.making import MovableClock, make_brand


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def test_a_brand_wide_sev_1_inhibits_the_mild_incidents_of_single_topics(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    burst(sessions, clock, brand_id, 60)
    burst(sessions, clock, brand_id, 12, topic="battery")
    whole, topic = incidents_of(sessions)

    assert topic.suppressed_by == f"incident:{whole.id}"
    assert told_of(sessions) == [("anna", "step")]
    with sessions.begin() as session:
        resolve(session, whole.id, by="a@b.c", reason="over", clock=clock)
    clock.forward(minutes=1)
    run_due_steps(sessions, clock=clock)
    assert incidents_of(sessions)[1].suppressed_by is None
    assert len(told_of(sessions)) == 1  # the topic's own; the brand's had not left


def test_a_severe_incident_of_a_topic_is_not_inhibited(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    burst(sessions, clock, brand_id, 60)
    burst(sessions, clock, brand_id, 12, topic="battery")
    topic = incidents_of(sessions)[1]
    with sessions.begin() as session:
        set_severity(session, topic.id, severity="SEV-2", by="a@b.c", clock=clock)

    run_due_steps(sessions, clock=clock)

    assert incidents_of(sessions)[1].suppressed_by is None
    assert len(told_of(sessions)) == 2
