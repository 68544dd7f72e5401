"""`index_gte`: severities by the burst index, through the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.budget import FalseAlarms
from crm_link.escalation.reasons.burst_words import burst_words, read_burst
from crm_link.models import DeliveryStatus
from listener.models import Source, SourceState
from sentiment.bursts.readings import Burst, bursts_of
from sentiment.bursts.service import step_bursts
from sentiment.models import Volume
from tests.crm_link.making import (
    NOON,
    PROTOCOL,
    MovableClock,
    make_brand,
    make_burst,
    make_protocol,
)
from tests.sentiment.burst_series import background
from tests.sentiment.burst_volumes import store_counts

HEAD, _, TAIL = PROTOCOL.partition("severity:")
SEVERITIES = """severity:
  - {level: SEV-1, any: [{index_gte: 12}], ack: 5m}
  - {level: SEV-2, any: [{index_gte: 3, negatives_gte: 5}], ack: 15m}
  - {level: SEV-3, any: [{index_gte: 1}], ack: 1h, auto_resolve: 2h}
dedup: {quiet: 24h, again_factor: 1.5}
escalation:
"""
DAYS = 11


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one call make every detector, however busy the machine is."""
    monkeypatch.setattr("sentiment.bursts.service.BUDGET_S", 600.0)


@pytest.fixture
def protocol() -> EscalationProtocol:
    return make_protocol(HEAD + SEVERITIES + TAIL.partition("escalation:\n")[2])


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def brand_id(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions)
    first = NOON - timedelta(days=DAYS)
    store_counts(sessions, brand_id, first, background(10, DAYS, seed=3))
    with sessions.begin() as session:  # the sums by the hour say since when it is heard
        hour = {"brand_id": brand_id, "grain_s": 3600, "bucket_at": first, "platform": "x"}
        session.add(Volume(**hour, label="negative", mentions=1, score_sum=0.0))
    step_bursts(sessions, clock=clock)
    return brand_id


def _look(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> list[int]:
    clock.forward(seconds=30)
    step_bursts(sessions, clock=clock)
    return detect(sessions, {brand_id: protocol}, clock=clock)


def _incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def _reasons(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(
            session.scalars(
                select(Notification.reason)
                .where(Notification.status != DeliveryStatus.CANCELLED)
                .order_by(Notification.id)
            )
        )


def test_the_ordinary_opens_nothing(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 1, published_at=NOON)

    assert _look(sessions, brand_id, protocol, clock) == []


@pytest.mark.parametrize(("posts", "level"), [(14, "SEV-3"), (60, "SEV-2"), (999, "SEV-1")])
def test_the_index_opens_the_severity_that_it_reaches(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
    posts: int,
    level: str,
) -> None:
    make_burst(sessions, brand_id, posts, published_at=NOON)

    (incident_id,) = _look(sessions, brand_id, protocol, clock)

    incident = _incident(sessions, incident_id)
    burst = incident.facts["burst"]
    assert incident.severity == level
    assert incident.peak["burst"] == burst
    assert burst["seen"] >= posts
    assert burst["words"].startswith(f"{burst['seen']} negative in 5m, expected 0.6; index ")
    assert _look(sessions, brand_id, protocol, clock) == []  # told once


def test_a_back_fill_opens_nothing(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 500, published_at=NOON - timedelta(minutes=40))

    assert _look(sessions, brand_id, protocol, clock) == []


def test_a_burst_that_grows_by_the_factor_is_told_again(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 60, published_at=NOON)
    (incident_id,) = _look(sessions, brand_id, protocol, clock)
    with sessions.begin() as session:
        incident = session.get_one(Incident, incident_id)
        # As many negatives had been told already: only the index says that it grew.
        incident.facts = {**incident.facts, "told_negatives": 1000}
    make_burst(sessions, brand_id, 30, published_at=NOON)
    _look(sessions, brand_id, protocol, clock)
    assert "again" not in _reasons(sessions)
    make_burst(sessions, brand_id, 110, published_at=NOON)

    _look(sessions, brand_id, protocol, clock)

    assert _reasons(sessions)[-1] == "again"
    facts = _incident(sessions, incident_id).facts
    assert facts["told_index"] == facts["burst"]["index"]


def test_what_was_resolved_does_not_come_back_by_its_index(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 60, topic="battery", published_at=NOON)
    (incident_id,) = _look(sessions, brand_id, protocol, clock)
    with sessions.begin() as session:
        resolve(session, incident_id, by="anna@example.org", reason="mended", clock=clock)
    clock.forward(minutes=4)
    make_burst(sessions, brand_id, 1, topic="battery", published_at=clock())
    make_burst(sessions, brand_id, 1, published_at=clock())

    assert _look(sessions, brand_id, protocol, clock) == []
    with sessions() as session:
        assert bursts_of(session, brand_id, clock())["battery"].index > 1  # and yet

    clock.forward(minutes=10)
    make_burst(sessions, brand_id, 60, topic="battery", published_at=clock())
    assert _look(sessions, brand_id, protocol, clock) == [incident_id]
    assert _incident(sessions, incident_id).status is IncidentStatus.OPEN


def test_a_topics_burst_is_one_incident_not_two(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 60, topic="battery", published_at=NOON)
    make_burst(sessions, brand_id, 2, published_at=NOON)

    found = _look(sessions, brand_id, protocol, clock)
    for _ in range(3):
        found += _look(sessions, brand_id, protocol, clock)

    assert len(set(found)) == 1
    assert _incident(sessions, found[0]).topic == "battery"


def test_an_incident_is_let_go_only_when_the_calm_is_known(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 14, published_at=NOON)
    (incident_id,) = _look(sessions, brand_id, protocol, clock)
    with sessions.begin() as session:
        source = Source(
            brand_id=brand_id,
            name="feed",
            platform="rss",
            options={},
            every_s=60.0,
            state=SourceState.FAILING,
            last_success_at=NOON,
            last_attempt_at=NOON,
            created_at=NOON - timedelta(days=20),
        )
        session.add(source)
    for _ in range(10):
        clock.forward(minutes=30)
        assert _look(sessions, brand_id, protocol, clock) == []
    assert _incident(sessions, incident_id).status is IncidentStatus.OPEN

    with sessions.begin() as session:
        session.execute(
            update(Source).values(
                state=SourceState.OK,
                last_success_at=clock() + timedelta(days=2),
                last_attempt_at=clock() + timedelta(days=2),
            )
        )
    for _ in range(60):
        clock.forward(minutes=30)
        _look(sessions, brand_id, protocol, clock)

    assert _incident(sessions, incident_id).status is IncidentStatus.RESOLVED


def test_a_false_alarm_budget_moves_what_index_1_stands_for(
    sessions: sessionmaker[Session],
    brand_id: int,
    protocol: EscalationProtocol,
    clock: MovableClock,
) -> None:
    make_burst(sessions, brand_id, 8, published_at=NOON)
    assert _look(sessions, brand_id, protocol, clock) == []
    budget = FalseAlarms(at_most=1, per="week")
    strict = protocol.model_copy(update={"false_alarms": budget})

    (incident_id,) = _look(sessions, brand_id, strict, clock)

    with sessions() as session:
        index = bursts_of(session, brand_id, clock())[""].index
    shown = _incident(sessions, incident_id).facts["burst"]["index"]
    assert index < 1 <= shown
    assert budget.per_week == 1
    assert FalseAlarms(at_most=2, per="day").per_week == pytest.approx(14)


def test_a_burst_in_words() -> None:
    assert burst_words(Burst(3.21, 34.0, 5.04, 3600, is_known=True)) == (
        "34 negative in 1h, expected 5; index 3.2"
    )
    assert burst_words(Burst(1.0, 1200.0, 456.7, 900, is_known=True)) == (
        "1,200 negative in 15m, expected 457; index 1"
    )
    assert burst_words(Burst(3.21, 1.0, 0.0, 3600, is_known=True), is_provisional=True) == (
        "1 negative in 1h; index 3.2, provisional until a week is known"
    )


@pytest.mark.parametrize(("days", "is_provisional"), [(None, True), (6, True), (7, False)])
def test_a_burst_of_a_brands_first_week_is_provisional(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    *,
    days: int | None,
    is_provisional: bool,
) -> None:
    brand_id = make_brand(sessions)
    if days is not None:
        since = clock().replace(minute=0) - timedelta(days=days)
        make_burst(sessions, brand_id, 1, published_at=since)
    burst = Burst(3.21, 34.0, 0.0, 3600, is_known=True)

    with sessions() as session:
        found = read_burst(session, brand_id, burst, clock())

    assert found is not None
    assert found["is_provisional"] is is_provisional
    assert ("expected" in str(found["words"])) is not is_provisional
