"""Drills from beginning to end, through the pipeline that a worker runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.rehearsal import step_through
from config.errors import ConflictError
from crm_link.escalation.channel import Message
from crm_link.escalation.drill import run_drills, stop_drill
from crm_link.escalation.drills.models import Drill, DrillState
from crm_link.escalation.exports import export_incidents
from crm_link.escalation.incidents import acknowledge, list_incidents, resolve
from crm_link.escalation.models import IncidentStatus
from crm_link.mentions import MentionFilter, list_brands, list_mentions
from crm_link.models import Flag
from listener.exports import export_mentions
from listener.models import Mention
from sentiment.trends import volume_series
from tests.api.conftest import MovableClock
from tests.api.drills.conftest import begin, counts, drill_of, incident_of, pass_time, script
from tests.make import NOW


def test_a_drill_is_detected_told_scored_and_leaves_nothing(
    engine_of: Engine,
    clock: MovableClock,
    brand_id: int,
    sessions: sessionmaker[Session],
    sent: list[tuple[str, Message]],
) -> None:
    before = counts(sessions)
    drill_id = begin(engine_of, brand_id, script())

    pass_time(engine_of, clock, 20)
    incident = incident_of(sessions, drill_id)
    assert incident.is_drill
    assert incident.opened_at - NOW <= timedelta(minutes=15)
    with sessions.begin() as session:
        acknowledge(session, incident.id, by="anna", clock=clock)
    clock.now += timedelta(minutes=5)
    pass_time(engine_of, clock, 100, step=10)
    with sessions.begin() as session:
        resolve(session, incident.id, by="anna", reason="practised", clock=clock)
    pass_time(engine_of, clock, 2)

    drill = drill_of(sessions, drill_id)
    assert drill.state is DrillState.DONE
    assert drill.script == []
    times = {row["what"]: row for row in drill.result["times"]}
    assert times["time_to_detect"]["is_met"] is True
    assert times["time_to_ack"]["took_s"] < 20 * 60
    assert times["time_to_holding_statement"]["is_met"] is False
    assert drill.score is not None
    assert 20 <= drill.score < 80  # no holding statement went out
    assert drill.result["told"] == ["anna", "ben"]
    after = counts(sessions)
    assert {name: after[name] for name in ("mention", "author", "volume", "flag")} == {
        name: before[name] for name in ("mention", "author", "volume", "flag")
    }
    assert sent
    assert {to for to, _ in sent} == {"drill-room"}
    assert all(message.title.startswith("DRILL: ") for _, message in sent)
    assert all("Posts that reach" not in message.body for _, message in sent)


def test_while_a_drill_runs_the_brands_numbers_are_its_own(
    engine_of: Engine,
    clock: MovableClock,
    brand_id: int,
    sessions: sessionmaker[Session],
    sent: list[tuple[str, Message]],
    tmp_path: Path,
) -> None:
    begin(engine_of, brand_id, script())
    pass_time(engine_of, clock, 20)

    export_mentions(sessions, tmp_path / "mentions.jsonl")
    export_incidents(sessions, tmp_path / "incidents.jsonl")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Mention)) != 5
        assert [brand.key for brand in list_brands(session)] == ["acme"]
        assert len(list_mentions(session, MentionFilter(), limit=100).mentions) == 5
        points = volume_series(
            session, None, since=NOW - timedelta(days=1), until=clock.now, grain_s=3600
        )
        assert sum(point.mentions for point in points) == 5
        assert session.scalar(select(func.count()).select_from(Flag)) == 0
        assert [incident.is_drill for incident in list_incidents(session)] == [True]
    assert len((tmp_path / "mentions.jsonl").read_text("utf-8").splitlines()) == 5
    assert (tmp_path / "incidents.jsonl").read_text("utf-8") == ""


def test_a_drill_that_stood_still_goes_on_and_feeds_each_post_once(
    engine_of: Engine, clock: MovableClock, brand_id: int, sessions: sessionmaker[Session]
) -> None:
    drill_id = begin(engine_of, brand_id, script())
    clock.now += timedelta(minutes=4)
    run_drills(sessions, clock=clock)
    fed = drill_of(sessions, drill_id).fed
    with sessions.begin() as session:
        # As after a crash between storing and writing down how far it came.
        session.get_one(Drill, drill_id).fed = 0

    run_drills(sessions, clock=clock)

    assert fed > 3
    assert drill_of(sessions, drill_id).fed == fed
    with sessions() as session:
        stored = session.scalar(
            select(func.count()).select_from(Mention).where(Mention.external_id.startswith("drill"))
        )
    assert stored == fed


def test_a_stopped_drill_has_no_score_and_another_may_begin(
    engine_of: Engine, clock: MovableClock, brand_id: int, sessions: sessionmaker[Session]
) -> None:
    drill_id = begin(engine_of, brand_id, script())
    with pytest.raises(ConflictError, match="is running"):
        begin(engine_of, brand_id, script())
    pass_time(engine_of, clock, 15)

    with sessions.begin() as session:
        stop_drill(session, drill_id, by="lead", now=clock())

    drill = drill_of(sessions, drill_id)
    assert (drill.state, drill.score) == (DrillState.STOPPED, None)
    first = incident_of(sessions, drill_id)
    assert first.status is IncidentStatus.RESOLVED
    clock.now += timedelta(minutes=1)
    again = begin(engine_of, brand_id, script())
    pass_time(engine_of, clock, 15)
    assert incident_of(sessions, again).id != first.id


def test_a_drill_that_nobody_answers_ends_by_itself(
    engine_of: Engine,
    clock: MovableClock,
    brand_id: int,
    sessions: sessionmaker[Session],
    sent: list[tuple[str, Message]],
) -> None:
    drill_id = begin(engine_of, brand_id, script())
    pass_time(engine_of, clock, 15)
    clock.now += timedelta(hours=6)
    step_through(engine_of)

    drill = drill_of(sessions, drill_id)
    times = {row["what"]: row for row in drill.result["times"]}
    assert drill.state is DrillState.DONE
    assert times["time_to_ack"]["took_s"] is None
    assert times["time_to_resolve"]["took_s"] is None
    assert drill.score == 25  # the machine found it; people did nothing
