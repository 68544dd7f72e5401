from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.escalation.delivery.outbox import pinned_protocol
from crm_link.escalation.detect import detect
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.incidents import acknowledge, list_events, list_incidents
from crm_link.escalation.models import OPERATIONS, IncidentStatus, Notification
from crm_link.escalation.protocol_parts.history import (
    broken_files,
    list_edits,
    read_version,
)
from crm_link.escalation.protocols import DEFAULT_FILE, Protocols
from tests.crm_link.making import PROTOCOL, MovableClock, make_brand, make_burst


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "protocol.yaml"
    path.write_text(PROTOCOL, "utf-8")
    return path


def test_every_edit_that_is_seen_is_kept_with_digest_time_and_owner(
    sessions: sessionmaker[Session], clock: MovableClock, path: Path
) -> None:
    brand_id = make_brand(sessions)
    protocols = Protocols(sessions, {brand_id: path}, clock=clock)
    first = protocols.by_brand()[brand_id].digest
    clock.forward(minutes=5)
    path.write_text(PROTOCOL.replace("ack: 5m", "ack: 4m "), "utf-8")
    second = protocols.by_brand()[brand_id].digest
    path.write_text(PROTOCOL, "utf-8")
    protocols.by_brand()
    Protocols(sessions, {brand_id: path}, clock=clock).by_brand()  # a restart is no edit

    with sessions() as session:
        edits = list_edits(session, brand_id)
        assert [one.digest for one in edits] == [first, second, first]
        assert {one.by for one in edits} == {path.owner()}
        assert (edits[1].seen_at - edits[2].seen_at).total_seconds() == 300
        assert protocol_in_force(session, brand_id).digest == first
        version_id = edits[1].version_id
        assert version_id is not None
        assert "ack: 4m" in read_version(session, version_id)[0]
        with pytest.raises(InputError, match="no protocol version 4711"):
            read_version(session, 4711)


def test_two_processes_that_see_one_edit_keep_it_once(
    sessions: sessionmaker[Session], path: Path
) -> None:
    brand_id = make_brand(sessions)
    for _ in range(2):
        Protocols(sessions, {brand_id: path}).by_brand()

    with sessions() as session:
        assert len(list_edits(session)) == 1


def test_a_file_broken_during_an_incident_changes_nothing_and_people_are_told(
    sessions: sessionmaker[Session], clock: MovableClock, path: Path
) -> None:
    brand_id = make_brand(sessions)
    protocols = Protocols(sessions, {brand_id: path}, clock=clock)
    make_burst(sessions, brand_id, 12)
    (incident_id,) = detect(sessions, protocols.by_brand(), clock=clock)
    before = protocols.by_brand()[brand_id].digest

    path.write_text(PROTOCOL.replace("crisis_lead]", "nobody]"), "utf-8")
    assert protocols.by_brand()[brand_id].digest == before
    with sessions() as session:
        assert broken_files(session) == []  # seen once, it may be half-written
    protocols.by_brand()

    with sessions() as session:
        (broken,) = broken_files(session)
        assert (broken.brand_key, broken.file) == ("acme", "protocol.yaml")
        assert "nobody has the role 'nobody'" in (broken.problem or "")
        alert = next(one for one in list_incidents(session) if one.kind == OPERATIONS)
        assert "the last good one stays in force" in alert.title
        told = session.scalars(
            select(Notification.contact).where(Notification.incident_id == alert.id)
        ).all()
        assert told == ["anna"]
        incident = next(one for one in list_incidents(session) if one.id == incident_id)
        assert pinned_protocol(session, incident).digest == before
    with sessions.begin() as session:
        acknowledge(session, incident_id, by="anna", clock=clock)

    path.write_text(PROTOCOL + "\n# mended\n", "utf-8")
    protocols.by_brand()

    with sessions() as session:
        assert broken_files(session) == []
        alert = next(one for one in list_incidents(session) if one.kind == OPERATIONS)
        assert alert.status is IncidentStatus.RESOLVED
        assert [one.kind for one in list_events(session, alert.id)][-1] == "resolved"
    assert protocols.problems() == []


def test_a_brand_that_is_added_later_has_its_own_protocol_without_a_restart(
    sessions: sessionmaker[Session], path: Path
) -> None:
    make_brand(sessions)
    files = {"acme": path}
    protocols = Protocols(sessions, lambda: files)
    later = make_brand(sessions, "later")
    default = protocols.by_brand()[later].digest

    other = path.with_name("other.yaml")
    other.write_text(PROTOCOL + "\n# of the later brand\n", "utf-8")
    files["later"] = other

    assert protocols.by_brand()[later].digest != default
    assert "of the later brand" in protocols.by_brand()[later].source
    with sessions() as session:
        assert [one.file for one in list_edits(session, later)] == ["other.yaml", DEFAULT_FILE]


def test_a_broken_list_of_brands_leaves_the_protocols_as_they_are(
    sessions: sessionmaker[Session], path: Path
) -> None:
    brand_id = make_brand(sessions)
    problems: list[str] = []

    def files() -> dict[str, Path]:
        if problems:
            raise InputError(problems[0])
        return {"acme": path}

    protocols = Protocols(sessions, files)
    before = protocols.by_brand()[brand_id].digest
    problems.append("brands.yaml, line 3: this is not YAML")

    assert protocols.by_brand()[brand_id].digest == before
    assert protocols.problems() == problems


def test_a_file_that_is_broken_when_the_service_starts_stops_it(
    sessions: sessionmaker[Session], path: Path
) -> None:
    path.write_text("version: 1\n", "utf-8")

    with pytest.raises(InputError, match="line 1: 'contacts' is missing"):
        Protocols(sessions, {make_brand(sessions): path})
