"""Alerts about Groundswell itself: dead letters, sources without data, chains that stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.auditor import audit
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.delivery.heartbeat import Heartbeat, HeartbeatSettings
from crm_link.escalation.detect import detect
from crm_link.escalation.detection.watchdog import watch_sources
from crm_link.escalation.models import (
    OPERATIONS,
    Incident,
    IncidentStatus,
    Notification,
    ProtocolVersion,
)
from crm_link.escalation.notify import deliver_notifications
from listener.models import Source, SourceState
from tests.crm_link.escalation.receiver import Receiver
from tests.crm_link.making import NOON, MovableClock, make_brand, make_burst, make_protocol

ANNA = "tz: Europe/Madrid, channels: [{kind: log}]"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def _open(sessions: sessionmaker[Session], clock: MovableClock, count: int = 25) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, count, published_at=clock() - timedelta(minutes=1))
    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)
    return incident_id


def _operations(sessions: sessionmaker[Session]) -> list[Incident]:
    with sessions() as session:
        query = select(Incident).where(Incident.kind == OPERATIONS).order_by(Incident.id)
        return list(session.scalars(query))


def _told(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        query = select(Notification.contact).where(Notification.incident_id == incident_id)
        return list(session.scalars(query.order_by(Notification.id)))


def _source(sessions: sessionmaker[Session], brand_id: int, **changes: object) -> int:
    values: dict[str, object] = {
        "brand_id": brand_id,
        "name": "x-search",
        "platform": "x",
        "options": {},
        "every_s": 60.0,
        "state": SourceState.OK,
        "last_success_at": NOON,
        "created_at": NOON - timedelta(days=1),
    }
    with sessions.begin() as session:
        source = Source(**(values | changes))
        session.add(source)
        session.flush()
        return source.id


def test_a_dead_letter_is_an_alert_to_the_others_and_one_for_all(
    sessions: sessionmaker[Session], clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answers.extend([(404, {})] * 3)
    hook = f'tz: Europe/Madrid, channels: [{{kind: webhook, to: "{receiver.url}"}}]'
    brand_id = make_brand(sessions)
    for topic in ("general", "battery"):
        make_burst(sessions, brand_id, 25, topic=topic)
        detect(sessions, {brand_id: make_protocol(**{ANNA: hook})}, clock=clock)
    deliver_notifications(sessions, clock=clock)

    (alert,) = _operations(sessions)
    assert alert.title == "anna cannot be reached"
    assert len(alert.facts["lines"]) == 2
    assert receiver.url not in str(alert.facts)
    assert _told(sessions, alert.id) == ["ben"]  # not anna, who cannot be reached


def test_a_source_without_data_is_an_alert_that_ends_by_itself(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    source_id = _source(sessions, brand_id)
    protocols = {brand_id: make_protocol()}
    clock.forward(minutes=29)
    assert watch_sources(sessions, protocols, clock=clock) == []
    clock.forward(minutes=2)

    (incident_id,) = watch_sources(sessions, protocols, clock=clock)
    assert watch_sources(sessions, protocols, clock=clock) == []

    (alert,) = _operations(sessions)
    assert (alert.id, alert.title, alert.severity) == (
        incident_id,
        "No data from x-search",
        "SEV-3",
    )
    assert "no success since 2026-03-10 12:00 UTC" in alert.facts["lines"][0]
    assert _told(sessions, incident_id) == ["anna"]
    deliver_notifications(sessions, clock=clock)
    with sessions.begin() as session:
        session.execute(
            update(Source).where(Source.id == source_id).values(last_success_at=clock())
        )
    assert watch_sources(sessions, protocols, clock=clock) == [incident_id]
    (alert,) = _operations(sessions)
    assert alert.status is IncidentStatus.RESOLVED
    assert _told(sessions, incident_id) == ["anna", "anna"]  # the alert, and its end


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": SourceState.FAILING, "failures": 3}, "is refused by its platform"),
        ({"last_success_at": None, "failures": 5}, "has never been read: 5 attempts"),
        ({"state": SourceState.PAUSED, "last_success_at": None, "failures": 5}, ""),
        ({"is_active": False, "state": SourceState.FAILING}, ""),
    ],
)
def test_the_watchdog_says_what_is_wrong_with_a_source(
    sessions: sessionmaker[Session], clock: MovableClock, changes: dict[str, object], words: str
) -> None:
    brand_id = make_brand(sessions)
    _source(sessions, brand_id, **changes)

    watch_sources(sessions, {brand_id: make_protocol()}, clock=clock)

    lines = [line for alert in _operations(sessions) for line in alert.facts["lines"]]
    assert [words in line for line in lines] == ([True] if words else [])


def test_the_auditor_takes_a_step_that_is_overdue_and_tells_it(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(minutes=5, seconds=59)
    assert audit(sessions, {}, clock=clock) == []
    clock.forward(seconds=2)

    (found,) = audit(sessions, {}, clock=clock)

    assert (found.incident_id, found.words) == (incident_id, "a step was overdue")
    assert _told(sessions, incident_id) == ["anna", "ben"]
    (alert,) = _operations(sessions)
    assert f"Incident {incident_id}" in alert.facts["lines"][0]
    assert audit(sessions, {}, clock=clock) == []


def test_the_auditor_lets_the_protocol_in_force_stand_in_for_one_that_cannot_be_read(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    with sessions.begin() as session:
        session.execute(update(ProtocolVersion).values(content="version: 0  # of a plugin gone"))
        brand_id = session.get_one(Incident, incident_id).brand_id
    clock.forward(minutes=10)
    assert run_due_steps(sessions, clock=clock) == 0
    in_force = make_protocol(**{"after: 10m": "after: 11m"})

    (found,) = audit(sessions, {brand_id: in_force}, clock=clock)

    assert "could not be read any more" in found.words
    assert _told(sessions, incident_id) == ["anna", "ben"]


def test_the_auditor_finds_an_open_incident_of_which_nothing_is_due(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    with sessions.begin() as session:
        session.execute(update(Incident).values(next_due_at=None))

    (found,) = audit(sessions, {}, clock=clock)

    assert found.incident_id == incident_id
    assert _told(sessions, incident_id) == ["anna", "ben"]


def test_a_chain_that_ended_with_everyone_is_not_mended(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    _open(sessions, clock)
    for _ in range(60):
        clock.forward(minutes=5)
        run_due_steps(sessions, clock=clock)

    assert audit(sessions, {}, clock=clock) == []


def test_a_clock_that_goes_back_holds_up_no_step_and_no_message(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(hours=-6)
    assert deliver_notifications(sessions, clock=clock) == 0

    (found,) = audit(sessions, {}, clock=clock)

    assert found.words == "the clock was set back"
    assert deliver_notifications(sessions, clock=clock) >= 1
    clock.forward(minutes=4, seconds=59)
    run_due_steps(sessions, clock=clock)
    assert _told(sessions, incident_id) == ["anna"]
    clock.forward(seconds=1)
    run_due_steps(sessions, clock=clock)
    assert _told(sessions, incident_id) == ["anna", "ben"]


def test_a_clock_that_jumps_forward_takes_each_step_once(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    incident_id = _open(sessions, clock)
    clock.forward(days=400)
    run_due_steps(sessions, clock=clock)
    clock.forward(days=-400)
    audit(sessions, {}, clock=clock)
    run_due_steps(sessions, clock=clock)

    assert sorted(_told(sessions, incident_id)) == ["anna", "ben", "dora"]


def test_a_sign_of_life_is_sent_only_while_every_step_goes_through(
    clock: MovableClock, receiver: Receiver
) -> None:
    settings = HeartbeatSettings(url=receiver.url.replace("/alert", "/beat"), every_s=60)
    heart = Heartbeat(settings, ("detect", "chains"), clock=clock)
    detecting = heart.watched("detect", lambda: None)

    def break_down() -> datetime:
        raise RuntimeError

    breaking = heart.watched("chains", break_down)
    detecting()
    with pytest.raises(RuntimeError):
        breaking()
    assert heart.standing_still() == ["chains"]
    assert heart.beat() is False
    heart.watched("chains", lambda: None)()
    assert heart.beat() is True
    assert receiver.gets == ["/beat"]
    clock.forward(minutes=3)
    detecting()
    assert heart.standing_still() == ["chains"]
    assert heart.beat() is False
