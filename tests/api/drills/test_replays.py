"""Past attacks as drills, and drills in compressed time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from api.rehearsal import Rehearsal, step_through
from config.errors import ConflictError
from crm_link.escalation.channel import Message
from crm_link.escalation.drills.models import Drill, DrillState
from crm_link.escalation.drills.replay import replay_script
from crm_link.escalation.models import BURST, Incident
from listener.models import Brand
from tests.api.conftest import MovableClock
from tests.api.drills.conftest import begin, counts, incident_of, pass_time, script
from tests.make import NOW, make_author, make_mention


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
