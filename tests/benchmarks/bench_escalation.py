"""How long one cycle of the escalation engine takes with 10,000 open incidents.

Run: python -m tests.benchmarks.bench_escalation [--database URL] [--incidents 10000]

500 brands, each with a protocol of its own, and 5,000 topics. A cycle is what the worker does
each second (detect, chains, deliver) and what it does now and then (watch, audit). Measured
while nothing is due, while so many steps are due, and just after the start, when no protocol
has been read yet.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from crm_link.escalation.auditor import audit
from crm_link.escalation.chain import run_due_steps
from crm_link.escalation.detect import detect
from crm_link.escalation.detection.watchdog import watch_sources
from crm_link.escalation.models import Incident, IncidentEvent, IncidentStatus, ProtocolVersion
from crm_link.escalation.notify import deliver_notifications
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned, parse_protocol
from listener.models import Brand, Source, SourceState

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BRANDS, TOPICS = 500, 5_000

#: Steps that are due in a busy cycle.
DUE = (0, 10, 100, 1_000)

PROTOCOL = """
version: 1
brand: brand{number}
contacts:
  - {{id: anna, role: manager, deputy: ben, channels: [{{kind: log}}]}}
  - {{id: ben, role: lead, channels: [{{kind: log}}]}}
on_call:
  social: {{tz: Europe/Madrid, members: [anna, ben], start: 2026-01-05}}
severity:
  - {{level: SEV-1, any: [{{negatives_gte: 200}}], ack: 5m, ack_expires: 15m}}
  - {{level: SEV-2, any: [{{negatives_gte: 50}}], ack: 15m, ack_expires: 30m}}
  - {{level: SEV-3, any: [{{negatives_gte: 15}}], ack: 1h, ack_expires: 4h, auto_resolve: 12h}}
escalation:
  default:
    repeat: 3
    steps:
      - {{notify: [on_call(social)], after: 0m}}
      - {{notify: [lead], after: 1h}}
      - {{notify: [everyone], after: 2h}}
"""


def main() -> None:
    """Fill a database, measure cycles, and print the seconds of each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="empty PostgreSQL database; else SQLite")
    parser.add_argument("--incidents", type=int, default=10_000)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(given.database or f"sqlite:///{folder}/bench.db")
        upgrade(engine)
        sessions = make_sessions(engine)
        protocols = fill(sessions, given.incidents)
        print(
            f"{engine.dialect.name}: {os.cpu_count()} cores, load {load}; {given.incidents:,} open "
            f"incidents, {BRANDS} brands with a protocol each, {TOPICS:,} topics"
        )
        parse_pinned.cache_clear()
        for due in (0, *DUE):
            measure(sessions, protocols, due)
        engine.dispose()


def fill(sessions: sessionmaker[Session], incidents: int) -> dict[int, EscalationProtocol]:
    """Write the brands, their protocols and sources, and the open incidents."""
    protocols = {}
    with sessions.begin() as session:
        for number in range(BRANDS):
            brand = Brand(
                key=f"brand{number}",
                name=f"Brand {number}",
                query=f"brand{number}",
                names=[f"brand{number}"],
                created_at=NOW,
            )
            session.add(brand)
            session.flush()
            protocol = parse_protocol(PROTOCOL.format(number=number))
            protocols[brand.id] = protocol
            version = ProtocolVersion(
                brand_id=brand.id,
                digest=protocol.digest,
                content=protocol.source,
                created_at=NOW,
            )
            source = Source(
                brand_id=brand.id,
                name="made-up",
                platform="x",
                options={},
                every_s=600.0,
                state=SourceState.OK,
                last_success_at=NOW,
                created_at=NOW,
            )
            session.add_all([version, source])
            session.flush()
            count = incidents // BRANDS
            topics = [f"topic{(number * count + one) % TOPICS}" for one in range(count)]
            rows = [_incident(brand.id, version.id, topic) for topic in topics]
            session.execute(insert(Incident), rows)
        ids = session.scalars(select(Incident.id)).all()
        event = {"at": NOW, "actor": "groundswell", "kind": "opened", "detail": {}}
        session.execute(insert(IncidentEvent), [{"incident_id": one} | event for one in ids])
    return protocols


def _incident(brand_id: int, version_id: int, topic: str) -> dict[str, object]:
    facts = {"window_s": 3600.0, "negatives": 20, "since": NOW.isoformat(), "top_posts": []}
    return {
        "brand_id": brand_id,
        "protocol_version_id": version_id,
        "topic": topic,
        "open_key": f"{brand_id}:{topic}",
        "title": "Negative mentions",
        "status": IncidentStatus.OPEN,
        "severity": "SEV-2",
        "opened_at": NOW,
        "last_seen_at": NOW,
        "facts": facts,
        "peak": facts,
        "step": 0,
        "round": 0,
        "next_due_at": NOW + timedelta(hours=1),
    }


def measure(
    sessions: sessionmaker[Session], protocols: dict[int, EscalationProtocol], due: int
) -> None:
    """Let some steps be due, do one cycle, and print what it took."""
    with sessions.begin() as session:
        chosen = select(Incident.id).where(Incident.step == 0).order_by(Incident.id).limit(due)
        ids = session.scalars(chosen).all()
        session.execute(update(Incident).where(Incident.id.in_(ids)).values(next_due_at=NOW))
    parts: dict[str, Callable[[], object]] = {
        "detect": lambda: detect(sessions, protocols, clock=_now),
        "chains": lambda: run_due_steps(sessions, clock=_now),
        "deliver": lambda: deliver_notifications(sessions, clock=_now, limit=300),
        "watch": lambda: watch_sources(sessions, protocols, clock=_now),
        "audit": lambda: audit(sessions, protocols, clock=_now),
    }
    took, used = {}, {}
    for name, work in parts.items():
        began, cpu = time.perf_counter(), time.process_time()
        work()
        took[name], used[name] = time.perf_counter() - began, time.process_time() - cpu
    words = ", ".join(f"{name} {took[name]:.2f}/{used[name]:.2f}" for name in parts)
    print(
        f"{due:,} steps due: {sum(took.values()):.2f} s, of which {sum(used.values()):.2f} s CPU "
        f"of this process ({words})",
        flush=True,
    )


def _now() -> datetime:
    return NOW


if __name__ == "__main__":
    main()
