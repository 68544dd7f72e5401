"""What follows on an incident: growth, the end, and the same topic again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import acknowledge, resolve
from crm_link.escalation.models import IncidentStatus, ProtocolVersion
from tests.crm_link.escalation.timelines import get_incident, kinds_of, told_of
from tests.crm_link.making import (
    NOON,
    MovableClock,
    make_author,
    make_brand,
    make_burst,
    make_protocol,
)


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    return make_brand(sessions)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def test_an_open_incident_absorbs_what_follows_and_tells_nobody_again(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    make_burst(sessions, brand_id, 5, published_at=NOON)

    assert detect(sessions, protocols, clock=clock) == [incident_id]

    incident = get_incident(sessions, incident_id)
    assert incident.facts["negatives"] == incident.peak["negatives"] == 17
    assert incident.last_seen_at == NOON
    assert told_of(sessions) == [("anna", "step")]
    assert detect(sessions, protocols, clock=clock) == []  # nothing has changed


def test_a_worse_severity_is_told_at_once_and_keeps_an_acknowledgement(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna@example.org", clock=clock)
    make_burst(sessions, brand_id, 10)
    clock.forward(minutes=1)

    detect(sessions, protocols, clock=clock)

    incident = get_incident(sessions, incident_id)
    assert incident.severity == "SEV-2"
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert incident.acknowledged_by == "anna@example.org"
    assert incident.next_due_at == clock() + timedelta(minutes=30)  # SEV-2's, not SEV-3's 4 h
    assert told_of(sessions) == [("anna", "severity")]
    assert kinds_of(sessions, incident_id)[-1] == "severity"


def test_a_severity_does_not_fall_by_itself(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 22, published_at=NOON - timedelta(minutes=50))
    make_burst(sessions, brand_id, 11)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    clock.forward(minutes=20)

    detect(sessions, protocols, clock=clock)

    incident = get_incident(sessions, incident_id)
    assert incident.severity == "SEV-2"
    assert (incident.facts["negatives"], incident.peak["negatives"]) == (11, 33)


def test_growth_by_the_factor_is_told_again(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 45)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    make_burst(sessions, brand_id, 40)
    detect(sessions, protocols, clock=clock)
    assert told_of(sessions) == [("anna", "step")]
    make_burst(sessions, brand_id, 10)
    clock.forward(seconds=1)

    detect(sessions, protocols, clock=clock)

    assert told_of(sessions) == [("anna", "step"), ("anna", "again")]
    assert kinds_of(sessions, incident_id)[-1] == "grew"


def test_what_was_said_before_it_was_resolved_opens_nothing_again(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    for topic in ("general", "battery"):
        make_burst(sessions, brand_id, 30, topic=topic)
    for incident_id in detect(sessions, protocols, clock=clock):
        with sessions.begin() as session:
            resolve(session, incident_id, by="a@b.c", reason="handled", clock=clock)
    clock.forward(seconds=5)

    assert detect(sessions, protocols, clock=clock) == []


@pytest.mark.parametrize("topic", ["general", "battery"])
def test_a_new_burst_soon_after_opens_the_same_incident_again(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock, topic: str
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12, topic=topic)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="handled", clock=clock)
    clock.forward(minutes=30)
    make_burst(sessions, brand_id, 11, topic=topic, published_at=clock())

    assert detect(sessions, protocols, clock=clock) == [incident_id]

    incident = get_incident(sessions, incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert incident.facts["negatives"] == 11
    assert incident.round == 1
    assert kinds_of(sessions, incident_id)[-2:] == ["reopened", "notified"]


def test_a_burst_long_after_is_a_new_incident(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    (first,) = detect(sessions, protocols, clock=clock)
    with sessions.begin() as session:
        resolve(session, first, by="a@b.c", reason="handled", clock=clock)
    clock.forward(hours=25)
    make_burst(sessions, brand_id, 12, published_at=clock())

    (second,) = detect(sessions, protocols, clock=clock)

    assert second != first


def test_an_edited_protocol_is_for_new_incidents_only(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 12)
    (first,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)
    edited = make_protocol(**{"negatives_gte: 20": "negatives_gte: 14", "id: anna": "id: zoe"})
    make_burst(sessions, brand_id, 4)
    make_burst(sessions, brand_id, 15, topic="battery")

    second = next(one for one in detect(sessions, {brand_id: edited}, clock=clock) if one != first)

    assert get_incident(sessions, first).severity == "SEV-3"  # 16 by the pinned thresholds
    assert get_incident(sessions, second).severity == "SEV-2"
    assert told_of(sessions) == [("anna", "step"), ("zoe", "step")]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ProtocolVersion)) == 2


def test_mild_incidents_that_nobody_took_on_end_by_themselves(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    make_burst(sessions, brand_id, 25, topic="battery")
    by_topic = {
        get_incident(sessions, one).topic: one for one in detect(sessions, protocols, clock=clock)
    }
    clock.forward(hours=3)

    assert detect(sessions, protocols, clock=clock) == [by_topic["general"]]

    assert get_incident(sessions, by_topic["general"]).resolved_by == "groundswell"
    assert get_incident(sessions, by_topic["battery"]).status is IncidentStatus.OPEN


def test_reach_counts_anew_where_a_topic_was_resolved(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    reach = make_protocol(**{"negatives_gte: 40, window: 1h": "reach_gte: 50000, window: 1h"})
    author = make_author(sessions, 50_000)
    make_burst(sessions, brand_id, 1, author_id=author, topic="battery")
    (incident_id,) = detect(sessions, {brand_id: reach}, clock=clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="handled", clock=clock)
    clock.forward(minutes=5)
    assert detect(sessions, {brand_id: reach}, clock=clock) == []

    make_burst(sessions, brand_id, 1, author_id=author, topic="battery", published_at=clock())

    assert detect(sessions, {brand_id: reach}, clock=clock) == [incident_id]
