"""A brand whose drills run through the pipeline that a worker runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.rehearsal import step_through
from config.settings import Settings
from crm_link.escalation.channel import Message
from crm_link.escalation.channels import log as log_channel
from crm_link.escalation.drill import start_drill
from crm_link.escalation.drills.models import Drill
from crm_link.escalation.drills.result import first_incident
from crm_link.escalation.drills.scenarios import Script, load_scenario, write_script
from crm_link.escalation.models import Incident
from crm_link.escalation.protocols import Protocols
from crm_link.models import Flag
from listener.models import Author, Brand, Mention
from sentiment.models import BurstState, Volume
from sentiment.scorer import make_scorer
from tests.api.conftest import MovableClock
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
