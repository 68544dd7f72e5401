from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.escalation.detect import detect
from crm_link.escalation.incidents import acknowledge, list_events, resolve
from crm_link.escalation.models import Incident, IncidentStatus, Notification, ProtocolVersion
from crm_link.escalation.protocol_file import parse_pinned, parse_protocol
from crm_link.models import DeliveryStatus
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


def _incident(sessions: sessionmaker[Session], incident_id: int) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, incident_id)


def _told(sessions: sessionmaker[Session]) -> list[tuple[str, str]]:
    with sessions() as session:
        rows = session.execute(
            select(Notification.contact, Notification.reason)
            .where(Notification.status != DeliveryStatus.CANCELLED)
            .order_by(Notification.id)
        )
        return [(contact, reason) for contact, reason in rows]


def _kinds(sessions: sessionmaker[Session], incident_id: int) -> list[str]:
    with sessions() as session:
        return [event.kind for event in list_events(session, incident_id)]


def test_a_burst_opens_an_incident_with_its_first_messages_in_one_go(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 12)

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    incident = _incident(sessions, incident_id)
    assert (incident.severity, incident.topic) == ("SEV-3", "general")
    assert incident.facts["negatives"] == 12
    assert incident.next_due_at == NOON + timedelta(minutes=5)
    assert _told(sessions) == [("anna", "step")]
    assert _kinds(sessions, incident_id) == ["opened", "notified"]


def test_fewer_than_the_threshold_raise_nothing(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 9)
    make_burst(sessions, brand_id, 50, label="positive")

    assert detect(sessions, {brand_id: make_protocol()}, clock=clock) == []


def test_an_import_of_old_posts_raises_nothing(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 500, published_at=NOON - timedelta(days=3))
    make_burst(sessions, brand_id, 500, published_at=NOON - timedelta(minutes=61))

    assert detect(sessions, {brand_id: make_protocol()}, clock=clock) == []


def test_a_topic_has_an_incident_of_its_own_and_counts_no_second_time(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 25, topic="battery")
    make_burst(sessions, brand_id, 9)

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    incident = _incident(sessions, incident_id)
    assert (incident.topic, incident.severity) == ("battery", "SEV-2")
    assert incident.title == "Negative mentions of Acme: batteries"


def test_the_topic_that_makes_most_of_a_burst_gives_it_its_name(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 8, topic="battery")
    make_burst(sessions, brand_id, 4)

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    assert _incident(sessions, incident_id).topic == "battery"
    assert detect(sessions, {brand_id: make_protocol()}, clock=clock) == []


def test_an_open_incident_absorbs_what_follows_and_tells_nobody_again(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    make_burst(sessions, brand_id, 5, published_at=NOON)

    assert detect(sessions, protocols, clock=clock) == [incident_id]

    incident = _incident(sessions, incident_id)
    assert incident.facts["negatives"] == incident.peak["negatives"] == 17
    assert incident.last_seen_at == NOON
    assert _told(sessions) == [("anna", "step")]
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

    incident = _incident(sessions, incident_id)
    assert incident.severity == "SEV-2"
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert incident.acknowledged_by == "anna@example.org"
    assert incident.next_due_at == clock() + timedelta(minutes=30)  # SEV-2's, not SEV-3's 4 h
    assert _told(sessions) == [("anna", "severity")]
    assert _kinds(sessions, incident_id)[-1] == "severity"


def test_a_severity_does_not_fall_by_itself(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 22, published_at=NOON - timedelta(minutes=50))
    make_burst(sessions, brand_id, 11)
    (incident_id,) = detect(sessions, protocols, clock=clock)
    clock.forward(minutes=20)

    detect(sessions, protocols, clock=clock)

    incident = _incident(sessions, incident_id)
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
    assert _told(sessions) == [("anna", "step")]
    make_burst(sessions, brand_id, 10)
    clock.forward(seconds=1)

    detect(sessions, protocols, clock=clock)

    assert _told(sessions) == [("anna", "step"), ("anna", "again")]
    assert _kinds(sessions, incident_id)[-1] == "grew"


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

    incident = _incident(sessions, incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert incident.facts["negatives"] == 11
    assert incident.round == 1
    assert _kinds(sessions, incident_id)[-2:] == ["reopened", "notified"]


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

    assert _incident(sessions, first).severity == "SEV-3"  # 16 by the pinned thresholds
    assert _incident(sessions, second).severity == "SEV-2"
    assert _told(sessions) == [("anna", "step"), ("zoe", "step")]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ProtocolVersion)) == 2


def test_mild_incidents_that_nobody_took_on_end_by_themselves(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    protocols = {brand_id: make_protocol()}
    make_burst(sessions, brand_id, 12)
    make_burst(sessions, brand_id, 25, topic="battery")
    by_topic = {
        _incident(sessions, one).topic: one for one in detect(sessions, protocols, clock=clock)
    }
    clock.forward(hours=3)

    assert detect(sessions, protocols, clock=clock) == [by_topic["general"]]

    assert _incident(sessions, by_topic["general"]).resolved_by == "groundswell"
    assert _incident(sessions, by_topic["battery"]).status is IncidentStatus.OPEN


def test_a_share_needs_more_than_a_few_mentions(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    share = make_protocol(
        **{
            "negatives_gte: 10, window: 1h": "negative_share_gte: 0.6, window: 1h",
            "negatives_gte: 20": "negatives_gte: 2000",
            "negatives_gte: 40": "negatives_gte: 4000",
        }
    )
    make_burst(sessions, brand_id, 9)
    assert detect(sessions, {brand_id: share}, clock=clock) == []
    make_burst(sessions, brand_id, 10)
    make_burst(sessions, brand_id, 10, label="neutral")
    assert detect(sessions, {brand_id: share}, clock=clock) == []  # 19 of 29, at least 0.47

    make_burst(sessions, brand_id, 60)
    (incident_id,) = detect(sessions, {brand_id: share}, clock=clock)

    assert _incident(sessions, incident_id).facts["negative_share"] == pytest.approx(
        79 / 89, abs=0.001
    )


def test_few_negatives_that_reach_many_open_an_incident(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    reach = make_protocol(**{"negatives_gte: 40, window: 1h": "reach_gte: 50000, window: 1h"})
    big, small = make_author(sessions, 30_000), make_author(sessions, 19_999, "a2")
    make_burst(sessions, brand_id, 1, author_id=big)
    make_burst(sessions, brand_id, 1, author_id=small)
    make_burst(sessions, brand_id, 1)  # nobody knows whose
    make_burst(sessions, brand_id, 5, author_id=big, label="neutral")
    make_burst(sessions, brand_id, 5, author_id=big, published_at=NOON - timedelta(hours=2))
    assert detect(sessions, {brand_id: reach}, clock=clock) == []

    make_burst(sessions, brand_id, 1, author_id=make_author(sessions, 1, "a3"))
    (incident_id,) = detect(sessions, {brand_id: reach}, clock=clock)

    incident = _incident(sessions, incident_id)
    assert incident.severity == "SEV-1"
    assert (incident.facts["negatives"], incident.facts["reach"]) == (4, 50_000)


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


def test_other_brands_are_left_alone(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    other = make_brand(sessions, "other")
    make_burst(sessions, other, 30)

    (incident_id,) = detect(
        sessions, {brand_id: make_protocol(), other: make_protocol()}, clock=clock
    )

    assert _incident(sessions, incident_id).brand_id == other


def test_two_workers_that_see_the_same_burst_open_one_incident(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 30)
    protocols = {brand_id: make_protocol()}
    start = Barrier(4)

    def work() -> list[int]:
        start.wait()
        return detect(sessions, protocols, clock=clock)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: work(), range(4)))

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 1
    assert _told(sessions) == [("anna", "step")]


def test_an_incident_whose_protocol_cannot_be_read_any_more_blinds_nobody(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 12)
    (broken,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)
    with sessions.begin() as session:
        session.execute(update(ProtocolVersion).values(content="version: 0"))
    other = make_brand(sessions, key="other")
    make_burst(sessions, other, 12)
    make_burst(sessions, brand_id, 30)

    found = detect(sessions, {brand_id: make_protocol(), other: make_protocol()}, clock=clock)

    assert [_incident(sessions, one).brand_id for one in found] == [other]
    assert _incident(sessions, broken).facts["negatives"] == 12


def test_a_pinned_protocol_outlives_a_plugin_that_it_names() -> None:
    gone = make_protocol().source.replace("{kind: log}", "{kind: carrier-pigeon}")
    with pytest.raises(InputError, match="there is no channel 'carrier-pigeon'"):
        parse_protocol(gone)

    pinned = parse_pinned(gone)

    assert {way.kind for contact in pinned.contacts for way in contact.channels} == {
        "carrier-pigeon"
    }
