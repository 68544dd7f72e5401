"""Steps with hours, steps of people on call, and acknowledgements by all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.chain import run_due_steps, upcoming
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.detect import detect
from crm_link.escalation.duty import on_call
from crm_link.escalation.incidents import acknowledge, escalate_now, list_events, set_severity
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.models import DeliveryStatus
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_burst, make_protocol

#: A Friday evening in Madrid.
FRIDAY = datetime(2026, 3, 13, 19, 0, tzinfo=UTC)
MONDAY_NINE = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)

BUSINESS = "\nbusiness_hours: {week: mon-fri 09:00-18:00, tz: Europe/Madrid, holidays: ES}\n"
ROTATION = """
on_call:
  social: {tz: Europe/Madrid, members: [anna, ben], start: 2026-03-09, every: 1w}
"""


def _open(
    sessions: sessionmaker[Session],
    clock: MovableClock,
    count: int = 12,
    /,
    *,
    extra: str = "",
    **words: str,
) -> tuple[int, EscalationProtocol]:
    brand_id = make_brand(sessions)
    make_burst(sessions, brand_id, count, published_at=clock() - timedelta(minutes=1))
    protocol = make_protocol(PROTOCOL + extra, **words)
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)
    return incident_id, protocol


def _told(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        query = select(Notification.contact).order_by(Notification.id)
        live = Notification.status != DeliveryStatus.CANCELLED
        return list(session.scalars(query.where(live)))


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def _incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


SECOND = "notify: [deputy(social_manager)], after: 5m"


def test_a_step_outside_its_hours_waits_with_a_stored_time_and_survives_a_restart(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(FRIDAY)
    incident_id, _ = _open(
        sessions, clock, extra=BUSINESS, **{SECOND: f"{SECOND}, hours: business"}
    )
    clock.forward(minutes=5)
    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == ["anna"]
    assert _incident(sessions, incident_id).next_due_at == MONDAY_NINE
    assert _kinds(sessions, incident_id)[-1] == "paused"
    clock.now = MONDAY_NINE - timedelta(seconds=1)
    assert run_due_steps(sessions, clock=clock) == 0
    clock.now = MONDAY_NINE + timedelta(seconds=1)
    assert run_due_steps(sessions, clock=clock) == 1
    assert _told(sessions) == ["anna", "ben"]
    # dora's step keeps its distance to ben's.
    assert _incident(sessions, incident_id).next_due_at == MONDAY_NINE + timedelta(minutes=5)


def test_a_severe_incident_waits_for_no_hours(sessions: sessionmaker[Session]) -> None:
    clock = MovableClock(FRIDAY)
    _open(sessions, clock, 25, extra=BUSINESS, **{SECOND: f"{SECOND}, hours: business"})
    clock.forward(minutes=5)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == ["anna", "ben"]


def test_a_step_that_is_skipped_outside_its_hours_is_passed_over_at_once_whatever_the_severity(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(FRIDAY)
    incident_id, _ = _open(
        sessions,
        clock,
        25,
        extra=BUSINESS,
        **{SECOND: f"{SECOND}, hours: business, outside: skip"},
    )
    clock.forward(minutes=5)

    run_due_steps(sessions, clock=clock)

    assert _told(sessions) == ["anna", "dora"]
    assert _kinds(sessions, incident_id)[-2:] == ["step_skipped", "notified"]


def test_day_and_night_have_steps_of_their_own(sessions: sessionmaker[Session]) -> None:
    clock = MovableClock(FRIDAY)
    first = "notify: [social_manager], after: 0m"
    _open(
        sessions,
        clock,
        25,
        extra=BUSINESS,
        **{
            first: "notify: [social_manager], hours: business, outside: skip}\n"
            "      - {notify: [crisis_lead], hours: outside_business, outside: skip"
        },
    )

    assert _told(sessions) == ["dora"]


def test_who_is_on_call_is_told_and_the_override_before_the_rotation(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(datetime(2026, 3, 17, 12, 0, tzinfo=UTC))  # ben's week
    words = {"notify: [social_manager]": "notify: [on_call(social)]"}
    incident_id, protocol = _open(sessions, clock, extra=ROTATION, **words)
    assert _told(sessions) == ["ben"]

    with sessions.begin() as session:
        brand_id = session.get_one(Incident, incident_id).brand_id
        on_call.add_override(
            session,
            protocol,
            brand_id=brand_id,
            rotation="social",
            contact="dora",
            starts_at=clock(),
            ends_at=clock() + timedelta(hours=2),
            reason="ben is ill",
            by="a@b.c",
            clock=clock,
        )
        called = on_call.who_is_on(session, protocol, brand_id, "social", clock())
    assert [one.id for one in called] == ["dora"]


def test_where_nobody_is_on_call_the_next_step_follows_at_once_and_it_is_logged(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(FRIDAY)
    rotation = ROTATION.replace("every: 1w", "every: 1w, hours: mon-fri 09:00-18:00")
    words = {"notify: [social_manager]": "notify: [on_call(social)]"}
    incident_id, _ = _open(sessions, clock, 25, extra=rotation, **words)

    assert _told(sessions) == ["ben"]  # the deputy's step, without its five minutes
    assert _kinds(sessions, incident_id) == ["opened", "nobody", "notified"]


def test_a_chain_that_reaches_nobody_at_all_tells_everyone_at_once(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock(FRIDAY)
    rotation = ROTATION.replace("every: 1w", "every: 1w, hours: mon-fri 09:00-18:00")
    nobody = dict.fromkeys(
        ("notify: [social_manager]", "notify: [deputy(social_manager)]", "notify: [crisis_lead]"),
        "notify: [on_call(social)]",
    )
    incident_id, _ = _open(sessions, clock, 25, extra=rotation, **nobody)

    assert _told(sessions) == ["anna", "ben", "dora"]
    kinds = _kinds(sessions, incident_id)
    assert kinds == ["opened", "nobody", "nobody", "nobody", "last_resort"]


ALL = {
    "notify: [social_manager], after: 0m": (
        "notify: [social_manager, crisis_lead], after: 0m, all_must_ack: true"
    )
}


def test_a_step_that_asks_all_goes_on_until_the_last_of_them_has_acknowledged(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    incident_id, protocol = _open(sessions, clock, **ALL)
    with sessions.begin() as session:
        incident = acknowledge(session, incident_id, by="anna", clock=clock)
        assert incident.status is IncidentStatus.OPEN
        assert upcoming(incident, protocol) is not None
    assert _told(sessions) == ["dora"]  # anna's own was taken back
    with sessions.begin() as session:
        incident = acknowledge(session, incident_id, by="d@e.f", contact="dora", clock=clock)
        assert incident.status is IncidentStatus.ACKNOWLEDGED

    assert _kinds(sessions, incident_id)[-2:] == ["acknowledged_one", "acknowledged"]


def test_who_has_acknowledged_is_not_told_again_by_the_chain(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    incident_id, _ = _open(sessions, clock, **ALL)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="dora", clock=clock)
    for _ in range(60):
        clock.forward(minutes=5)
        run_due_steps(sessions, clock=clock)

    assert "dora" not in _told(sessions)
    assert _told(sessions).count("anna") == 3  # twice by the chain, once as the last resort
    assert _incident(sessions, incident_id).status is IncidentStatus.OPEN


def test_an_outsiders_acknowledgement_does_not_speak_for_those_who_were_asked(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    incident_id, _ = _open(sessions, clock, **ALL)

    with sessions.begin() as session:
        incident = acknowledge(session, incident_id, by="somebody@else.org", clock=clock)

    assert incident.status is IncidentStatus.OPEN


def test_whatever_a_person_enters_moves_the_expiry_of_an_acknowledgement(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    incident_id, _ = _open(sessions, clock, 25)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
    clock.forward(minutes=29)
    with sessions.begin() as session:
        set_severity(session, incident_id, severity="SEV-3", by="a@b.c", clock=clock)
    clock.forward(minutes=2)
    run_due_steps(sessions, clock=clock)

    assert _incident(sessions, incident_id).status is IncidentStatus.ACKNOWLEDGED
    clock.forward(hours=5)
    run_due_steps(sessions, clock=clock)
    assert _incident(sessions, incident_id).status is IncidentStatus.OPEN


def test_escalating_by_hand_asks_those_again_who_come_next(
    sessions: sessionmaker[Session],
) -> None:
    clock = MovableClock()
    incident_id, _ = _open(sessions, clock)
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="a@b.c", clock=clock)
    for _ in range(4):
        with sessions.begin() as session:
            escalate_now(session, incident_id, by="a@b.c", clock=clock)

    with sessions() as session:
        incident = session.get_one(Incident, incident_id)
        assert incident.status is IncidentStatus.OPEN
        assert pinned_protocol(session, incident).contacts


@pytest.mark.parametrize(
    ("words", "extra", "problem"),
    [
        ({"[crisis_lead]": "[on_call(night)]"}, "", "there is no rotation 'night'"),
        ({SECOND: f"{SECOND}, hours: business"}, "", "needs the key business_hours"),
        ({}, ROTATION, "nobody is told by this rotation"),
        ({SECOND: f"{SECOND}, hours: mon 09:00-10:00"}, "", "say in which zone"),
        ({}, "\nbusiness_hours: mon-fri 09:00-18:00\n", "say in which zone"),
    ],
)
def test_the_lint_says_what_of_hours_and_rotations_cannot_be_obeyed(
    words: dict[str, str], extra: str, problem: str
) -> None:
    text = make_protocol().source
    for old, new in words.items():
        text = text.replace(old, new)

    with pytest.raises(Exception, match=problem):
        make_protocol(text + extra)
