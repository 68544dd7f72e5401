from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.escalation.detect import detect
from crm_link.escalation.models import Incident, ProtocolVersion
from crm_link.escalation.protocol_parts.file import parse_pinned, parse_protocol
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


def test_a_burst_opens_an_incident_with_its_first_messages_in_one_go(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 12)

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    incident = get_incident(sessions, incident_id)
    assert (incident.severity, incident.topic) == ("SEV-3", "general")
    assert incident.facts["negatives"] == 12
    assert incident.next_due_at == NOON + timedelta(minutes=5)
    assert told_of(sessions) == [("anna", "step")]
    assert kinds_of(sessions, incident_id) == ["opened", "notified"]


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

    incident = get_incident(sessions, incident_id)
    assert (incident.topic, incident.severity) == ("battery", "SEV-2")
    assert incident.title == "Negative mentions of Acme: batteries"


def test_the_topic_that_makes_most_of_a_burst_gives_it_its_name(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    make_burst(sessions, brand_id, 8, topic="battery")
    make_burst(sessions, brand_id, 4)

    (incident_id,) = detect(sessions, {brand_id: make_protocol()}, clock=clock)

    assert get_incident(sessions, incident_id).topic == "battery"
    assert detect(sessions, {brand_id: make_protocol()}, clock=clock) == []


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

    assert get_incident(sessions, incident_id).facts["negative_share"] == pytest.approx(
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

    incident = get_incident(sessions, incident_id)
    assert incident.severity == "SEV-1"
    assert (incident.facts["negatives"], incident.facts["reach"]) == (4, 50_000)


def test_other_brands_are_left_alone(
    sessions: sessionmaker[Session], brand_id: int, clock: MovableClock
) -> None:
    other = make_brand(sessions, "other")
    make_burst(sessions, other, 30)

    (incident_id,) = detect(
        sessions, {brand_id: make_protocol(), other: make_protocol()}, clock=clock
    )

    assert get_incident(sessions, incident_id).brand_id == other


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
    assert told_of(sessions) == [("anna", "step")]


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

    assert [get_incident(sessions, one).brand_id for one in found] == [other]
    assert get_incident(sessions, broken).facts["negatives"] == 12


def test_a_pinned_protocol_outlives_a_plugin_that_it_names() -> None:
    gone = make_protocol().source.replace("{kind: log}", "{kind: carrier-pigeon}")
    with pytest.raises(InputError, match="there is no channel 'carrier-pigeon'"):
        parse_protocol(gone)

    pinned = parse_pinned(gone)

    assert {way.kind for contact in pinned.contacts for way in contact.channels} == {
        "carrier-pigeon"
    }
