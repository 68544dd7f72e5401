"""Drills from beginning to end, through the pipeline that a worker runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.rehearsal import Rehearsal, step_through
from config.errors import ConflictError
from config.settings import Settings
from crm_link.escalation.channel import Message
from crm_link.escalation.channels import log as log_channel
from crm_link.escalation.drill import run_drills, start_drill, stop_drill
from crm_link.escalation.drill_models import Drill, DrillState
from crm_link.escalation.drill_replay import replay_script
from crm_link.escalation.drill_result import first_incident
from crm_link.escalation.drill_scenarios import Script, load_scenario, write_script
from crm_link.escalation.exports import export_incidents
from crm_link.escalation.incidents import acknowledge, list_incidents, resolve
from crm_link.escalation.models import BURST, Incident, IncidentStatus
from crm_link.escalation.protocols import Protocols
from crm_link.mentions import MentionFilter, list_brands, list_mentions
from crm_link.models import Flag
from listener.exports import export_mentions
from listener.models import Author, Brand, Mention
from sentiment.models import BurstState, Volume
from sentiment.scorer import make_scorer
from sentiment.trends import volume_series
from tests.make import NOW, make_author, make_brand, make_mention

PROTOCOL = """
version: 1
contacts:
  - id: anna
    role: social_manager
    deputy: ben
    channels: [{kind: webhook, to: "https://real.example.org/anna"}]
  - id: ben
    role: crisis_lead
    deputy: anna
    channels: [{kind: webhook, to: "https://real.example.org/ben"}]
severity:
  - level: SEV-2
    any: [{negatives_gte: 20, window: 1h}]
    ack: 15m
    ack_expires: 30m
    holding_statement: 1h
escalation:
  default:
    steps:
      - {notify: [social_manager], after: 0m}
      - {notify: [crisis_lead], after: 5m}
triage:
  flag: [{label: [negative]}]
drills:
  every: 90d
  detect_within: 15m
  resolve_within: 2h
  channels: [{kind: log, to: drill-room}]
"""


class MovableClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def brand_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        brand = make_brand(session, key="acme", name="Acme", names=["Acme"])
        author = make_author(session, handle="real_person")
        for number in range(5):
            make_mention(
                session,
                brand,
                author_id=author.id,
                text=f"Acme real post {number} by @real_person",
                published_at=NOW - timedelta(hours=3),
                label="neutral",
                topic="general",
                pending=None,
            )
        session.add(
            Volume(
                brand_id=brand.id,
                grain_s=3600,
                bucket_at=NOW - timedelta(hours=3),
                platform="x",
                label="neutral",
                mentions=5,
            )
        )
        return brand.id


@pytest.fixture
def engine_of(
    sessions: sessionmaker[Session], clock: MovableClock, brand_id: int, tmp_path: Path
) -> Engine:
    path = tmp_path / "protocol.yaml"
    path.write_text(PROTOCOL, "utf-8")
    return Engine(
        settings=Settings(),
        sessions=sessions,
        scorer=make_scorer("vader"),
        protocols=Protocols(sessions, {brand_id: path}),
        clock=clock,
    )


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Message]]:
    """Give what left over the log channel; the real people's channels lead nowhere."""
    found: list[tuple[str, Message]] = []
    monkeypatch.setattr(
        log_channel.LogChannel, "send", lambda _, message, to: found.append((to, message))
    )
    return found


def script() -> Script:
    key, scenario = load_scenario("service_outage")
    return write_script(key, scenario, brand_name="Acme", per_hour=2)


def begin(engine: Engine, brand_id: int, what: Script) -> int:
    with engine.sessions.begin() as session:
        protocol = engine.protocols.by_brand()[brand_id]
        brand = session.get_one(Brand, brand_id)
        return start_drill(session, brand, what, protocol, by="lead", now=engine.clock()).id


def pass_time(engine: Engine, clock: MovableClock, minutes: int, *, step: int = 1) -> None:
    for _ in range(0, minutes, step):
        clock.now += timedelta(minutes=step)
        step_through(engine)


def drill_of(sessions: sessionmaker[Session], drill_id: int) -> Drill:
    with sessions() as session:
        return session.get_one(Drill, drill_id)


def incident_of(sessions: sessionmaker[Session], drill_id: int) -> Incident:
    with sessions() as session:
        incident = first_incident(session, session.get_one(Drill, drill_id))
        assert incident is not None
        return incident


def counts(sessions: sessionmaker[Session]) -> dict[str, int]:
    with sessions() as session:
        return {
            model.__tablename__: session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Mention, Author, Volume, BurstState, Flag)
        }


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


def test_a_past_attack_is_replayed_without_the_people_in_it(
    engine_of: Engine, clock: MovableClock, brand_id: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        brand = session.get_one(Brand, brand_id)
        author = make_author(session, handle="angry_one", name="Angry One")
        for number in range(40):
            make_mention(
                session,
                brand,
                author_id=author.id,
                text=f"@acme awful, terrible. I hate this. Ask @angry_one ({number})",
                published_at=NOW + timedelta(seconds=20 * number),
            )
    clock.now = NOW + timedelta(minutes=15)
    step_through(engine_of)
    with sessions() as session:
        past = session.scalars(select(Incident).where(Incident.kind == BURST)).one()
        what = replay_script(session, past.id, keep_handles=frozenset({"acme"}))

    assert len(what.posts) == 40
    assert what.posts[0]["text"].startswith("@acme awful")
    assert not any("angry_one" in str(post) for post in what.posts)

    clock.now = NOW + timedelta(days=7)
    drill_id = begin(engine_of, brand_id, what)
    pass_time(engine_of, clock, 15)

    incident = incident_of(sessions, drill_id)
    assert incident.id != past.id
    assert incident.facts["negatives"] >= 20
    with sessions() as session, pytest.raises(ConflictError, match="was a drill"):
        replay_script(session, incident.id, keep_handles=frozenset())


def test_a_rehearsal_in_compressed_time_touches_nothing(
    engine_of: Engine,
    brand_id: int,
    sessions: sessionmaker[Session],
    sent: list[tuple[str, Message]],
    tmp_path: Path,
) -> None:
    before = counts(sessions)
    protocol = engine_of.protocols.by_brand()[brand_id]
    rehearsal = Rehearsal(
        engine_of, brand_id, tmp_path / "protocol.yaml", protocol, folder=tmp_path
    )

    drill = rehearsal.run(script(), by="lead")

    times = {row["what"]: row for row in drill.result["times"]}
    assert drill.state is DrillState.DONE
    assert times["time_to_detect"]["is_met"] is True
    assert times["time_to_ack"]["is_asked"] is False
    assert drill.score == 100
    assert drill.result["told"] == ["anna", "ben"]
    assert counts(sessions) == before
    assert {to for to, _ in sent} <= {""}
    assert not (tmp_path / "rehearsal.db").exists()
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        assert session.scalar(select(func.count()).select_from(Drill)) == 0
