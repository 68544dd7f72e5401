"""A drill in compressed time: the real pipeline over a database of its own, with its own clock.

Nothing of it touches the real database but the result: no message leaves, no real incident or
chain feels the other clock, and what a crash leaves behind is one file that the next rehearsal
removes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from api.engine import Engine
from config.db import Base, make_engine, make_sessions, read_session
from config.migrate import upgrade
from crm_link.escalation.drill import get_drill, start_drill
from crm_link.escalation.drills.brands import HISTORY
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.drills.scenarios import Script
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocols import Protocols
from listener.models import Brand
from sentiment.models import BurstHour, BurstState, Volume

#: How far the clock goes at a time; the burst detectors look every 15 seconds at most.
STEP = timedelta(seconds=30)

#: Steps are this much longer where nothing is posted any more.
IDLE_STEP = timedelta(minutes=1)


@dataclass(slots=True)
class Rehearsal:
    """One drill in compressed time.

    Args:
        engine: The real pipeline: its settings, scorer and clock are taken, its database only
            read.
        brand_id: The brand that is rehearsed for.
        protocol_path: The brand's protocol file; None for the default protocol.
        protocol: The protocol in force.
        folder: Where the database of the rehearsal may be for as long as it lasts.

    """

    engine: Engine
    brand_id: int
    protocol_path: Path | None
    protocol: EscalationProtocol
    folder: Path

    def run(
        self, script: Script, *, by: str, on_progress: Callable[[timedelta], None] | None = None
    ) -> Drill:
        """Play a script to its end; return the drill as it is then, not stored anywhere."""
        path = self.folder / "rehearsal.db"
        _remove(path)
        try:
            database = make_engine(f"sqlite:///{path}")
            try:
                upgrade(database)
                return self._play(make_sessions(database), script, by, on_progress)
            finally:
                database.dispose()
        finally:
            _remove(path)

    def _play(
        self,
        sessions: sessionmaker[Session],
        script: Script,
        by: str,
        on_progress: Callable[[timedelta], None] | None,
    ) -> Drill:
        begin = self.engine.clock()
        copy_brand(self.engine.sessions, sessions, self.brand_id, begin)
        clock = _Clock(begin)
        paths: Mapping[int, Path] = (
            {} if self.protocol_path is None else {self.brand_id: self.protocol_path}
        )
        engine = Engine(
            settings=self.engine.settings,
            sessions=sessions,
            scorer=self.engine.scorer,
            protocols=Protocols(sessions, paths, drills_are_silent=True),
            clock=clock,
            lexicon=self.engine.lexicon,
        )
        with sessions.begin() as session:
            drill_id = start_drill(
                session,
                session.get_one(Brand, self.brand_id),
                script,
                self.protocol,
                mode=DrillMode.FAST,
                by=by,
                now=begin,
            ).id
        while True:
            step_through(engine)
            with read_session(sessions) as session:
                drill = get_drill(session, drill_id)
                session.expunge_all()
            if on_progress is not None:
                on_progress(clock.now - begin)
            if drill.state is not DrillState.RUNNING:
                return drill
            clock.now += STEP if drill.fed < len(drill.script) else IDLE_STEP


def step_through(engine: Engine) -> None:
    """Do once what a worker does for a drill, in the order in which it follows from another."""
    engine.run_drills()
    engine.process()
    engine.escalate()
    engine.deliver()


def copy_brand(
    source: sessionmaker[Session], target: sessionmaker[Session], brand_id: int, now: datetime
) -> None:
    """Copy a brand with its ordinary days and its detectors' states, and no text of anybody."""
    with read_session(source) as session:
        brand = session.get_one(Brand, brand_id)
        rows = {
            Brand: [_row(brand)],
            Volume: [
                _row(row)
                for row in session.scalars(
                    select(Volume).where(
                        Volume.brand_id == brand_id, Volume.bucket_at >= now - HISTORY
                    )
                )
            ],
            BurstState: [
                _row(row)
                for row in session.scalars(
                    select(BurstState).where(BurstState.brand_id == brand_id)
                )
            ],
            BurstHour: [
                _row(row)
                for row in session.scalars(select(BurstHour).where(BurstHour.brand_id == brand_id))
            ],
        }
    with target.begin() as session:
        for model, found in rows.items():
            if found:
                session.execute(insert(model), found)


def _row(entity: Base) -> dict[str, object]:
    return {column.key: getattr(entity, column.key) for column in entity.__mapper__.column_attrs}


@dataclass(slots=True)
class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
