from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import ConflictError, InputError, NotFoundError
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.exports import export_incidents
from crm_link.escalation.incidents import (
    acknowledge,
    add_note,
    escalate_now,
    get_incident,
    list_events,
    list_incidents,
    list_notifications,
    resolve,
    set_severity,
)
from crm_link.escalation.models import IncidentStatus, Notification
from crm_link.models import DeliveryStatus
from tests.crm_link.making import MovableClock, make_brand, make_burst, make_protocol


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock) -> int:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)
    return incident_id


def test_of_two_people_who_acknowledge_at_once_one_is_told_who_was_first(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    start = Barrier(2)

    def take_on(who: str) -> str:
        start.wait()
        try:
            with sessions.begin() as session:
                acknowledge(session, incident_id, by=who, clock=clock)
        except ConflictError as error:
            return str(error)
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(take_on, ["anna@example.org", "ben@example.org"]))

    assert answers[1] == "taken"
    assert f"incident {incident_id} is already acknowledged by " in answers[0]
    with sessions() as session:
        kinds = [event.kind for event in list_events(session, incident_id)]
    assert kinds.count("acknowledged") == 1


def test_what_the_state_does_not_allow_is_refused(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="handled", clock=clock)

    with sessions() as session:
        with pytest.raises(ConflictError, match="already resolved"):
            acknowledge(session, incident_id, by="a@b.c", clock=clock)
        with pytest.raises(ConflictError, match="resolved already, by a@b.c"):
            escalate_now(session, incident_id, by="a@b.c", clock=clock)
        with pytest.raises(ConflictError, match="resolved already, by a@b.c"):
            resolve(session, incident_id, by="a@b.c", reason="x", clock=clock)
        with pytest.raises(ConflictError, match="resolved already, by a@b.c"):
            set_severity(session, incident_id, severity="SEV-1", by="a@b.c", clock=clock)
        with pytest.raises(NotFoundError, match="no incident 4711"):
            acknowledge(session, 4711, by="a@b.c", clock=clock)
        with pytest.raises(NotFoundError, match="no incident 4711"):
            get_incident(session, 4711)


def test_a_reason_and_a_note_must_say_something(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions() as session:
        with pytest.raises(InputError, match="say why"):
            resolve(session, incident_id, by="a@b.c", reason="  ", clock=clock)
        with pytest.raises(InputError, match="a note has"):
            add_note(session, incident_id, text="\n", by="a@b.c", clock=clock)
        with pytest.raises(InputError, match="no severity 'SEV-9'; known: SEV-1, SEV-2, SEV-3"):
            set_severity(session, incident_id, severity="SEV-9", by="a@b.c", clock=clock)


def test_only_those_who_got_the_alert_hear_of_its_end(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    with sessions.begin() as session:
        session.execute(update(Notification).values(status=DeliveryStatus.SENT))
        escalate_now(session, incident_id, by="a@b.c", clock=clock)  # ben's waits

    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="fixed", clock=clock)

    with sessions() as session:
        rows = [
            (one.contact, one.reason, one.status)
            for one in list_notifications(session, incident_id)
        ]
    assert rows == [
        ("anna", "step", DeliveryStatus.SENT),
        ("ben", "step", DeliveryStatus.CANCELLED),
        ("anna", "resolved", DeliveryStatus.PENDING),
    ]


def test_incidents_are_listed_newest_first_with_filters(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int
) -> None:
    other = make_brand(sessions, "other")
    make_burst(sessions, other, 12)
    (second,) = detect(sessions, {other: make_protocol()}, clock=clock)
    with sessions.begin() as session:
        acknowledge(session, second, by="a@b.c", clock=clock)

    with sessions() as session:
        assert [one.id for one in list_incidents(session)] == [second, incident_id]
        assert [one.id for one in list_incidents(session, brand_id=other)] == [second]
        assert [one.id for one in list_incidents(session, before_id=second)] == [incident_id]
        open_ones = list_incidents(session, statuses=[IncidentStatus.OPEN])
        assert [one.brand.name for one in open_ones] == ["Acme"]


def test_an_export_has_each_incident_with_its_timeline(
    sessions: sessionmaker[Session], clock: MovableClock, incident_id: int, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        add_note(session, incident_id, text="first look", by="a@b.c", clock=clock)
    seen: list[int] = []

    written = export_incidents(sessions, tmp_path / "out.jsonl", on_progress=seen.append)

    (line,) = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    incident = json.loads(line)
    assert (written, seen) == (1, [1])
    assert (incident["brand"], incident["severity"], incident["status"]) == (
        "acme",
        "SEV-3",
        "open",
    )
    assert [event["kind"] for event in incident["events"]] == ["opened", "notified", "note"]
    assert incident["notifications"][0]["contact"] == "anna"
    with pytest.raises(InputError, match="cannot be written"):
        export_incidents(sessions, tmp_path / "nowhere" / "out.jsonl")


def test_an_incident_that_is_opened_again_has_all_rounds_of_its_chain(
    sessions: sessionmaker[Session], clock: MovableClock
) -> None:
    brand_id = make_brand(sessions)
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, protocols, clock=clock)

    def rounds() -> int:
        """Let nobody acknowledge, and count how often the chain begins until the last resort."""
        for _ in range(30):
            with sessions() as session:
                incident = get_incident(session, incident_id)
                if incident.next_due_at is None:
                    break
                clock.now = max(clock.now, incident.next_due_at)
            run_due_steps(sessions, clock=clock)
        with sessions() as session:
            events = list_events(session, incident_id)
        assert events[-1].kind == "last_resort"
        return sum(one.kind == "notified" and one.detail["step"] == 0 for one in events)

    assert rounds() == 2  # as the protocol says
    with sessions.begin() as session:
        resolve(session, incident_id, by="a@b.c", reason="over", clock=clock)
    clock.forward(minutes=5)
    make_burst(sessions, brand_id, 12, published_at=clock.now)
    assert detect(sessions, protocols, clock=clock) == [incident_id]

    assert rounds() == 4
