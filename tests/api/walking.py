"""Every address that gives something to read, with all that it has to be asked with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import product
from pathlib import Path

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from crm_link.escalation.delivery.delivery_models import OnCallOverride, Silence
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.playbook.playbook_models import ProtocolSeen
from crm_link.escalation.protocol_parts.file import parse_protocol
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from crm_link.figures.overview import Segment
from crm_link.flags.queue_presence import be_present
from crm_link.models import DeliveryStatus
from crm_link.privacy.models import ErasureRequest, ErasureState
from crm_link.replying.changes import write_reply
from crm_link.replying.models import ReplyState
from crm_link.reporting.models import (
    FileKind,
    FileState,
    ReportFile,
    ReportMail,
    ReportSchedule,
)
from listener.replier import Refusal
from tests.api.least_roles import LEAST_ROLE
from tests.api.scene import Scene

BRANDS = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: acme
    protocol: protocol.yaml
    sources: [{platform: x, name: x-search}]
"""

_ASKED = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-05T00:00:00Z", "period": "7d"}

#: Addresses that give nothing to read, or are read by others than people who are signed in.
_NOT_READ = frozenset({"/events"})


@dataclass(frozen=True)
class Extras:
    """Ids of what stands around the scene."""

    drill: int
    edit: int
    erasure: int
    reply: int
    file: int


def read(client: TestClient, path: str, query: Mapping[str, str]) -> Response:
    """Return the answer; what explains a judgement asks to come back while its model is loaded."""
    answer = client.get(path, params=query)
    until = time.monotonic() + 60
    while "Retry-After" in answer.headers and time.monotonic() < until:
        time.sleep(0.2)
        answer = client.get(path, params=query)
    return answer


def write_files(home: Path) -> None:
    """Write the brand's files, which the protocol's pages show."""
    (home / "brands.yaml").write_text(BRANDS, "utf-8")
    protocol = files("config").joinpath("defaults", "demo_protocol.yaml").read_bytes()
    (home / "protocol.yaml").write_bytes(protocol)


def add_extras(sessions: sessionmaker[Session], scene: Scene, now: datetime, words: str) -> Extras:
    """Store what the scene lacks, each with words that are looked for: drill, overrides, mail."""
    with sessions.begin() as session:
        protocol = parse_protocol(
            files("config").joinpath("defaults", "demo_protocol.yaml").read_text("utf-8")
        )
        record_sight(session, Sight(scene.brand, protocol, "acme.yaml", "ann", why="acme"), now)
        edit = session.scalars(select(ProtocolSeen.id).order_by(ProtocolSeen.id.desc())).first()
        drill = Drill(
            brand_id=scene.brand,
            mode=DrillMode.LIVE,
            state=DrillState.STOPPED,
            scenario="made-up",
            title=f"Acme under attack: {words}",
            started_at=now - timedelta(hours=2),
            started_by="ann",
            ends_at=now - timedelta(hours=1),
            ended_at=now - timedelta(hours=1),
            script=[],
            result={},
        )
        erasure = ErasureRequest(
            subject="author 99",
            subject_hash="0",
            reason="ticket 1",
            requested_by="ann",
            requested_at=now,
            state=ErasureState.DONE,
            plan={},
            receipts=[],
            done_at=now,
        )
        session.add_all([drill, erasure, *_of_people(scene.brand, now, words)])
        session.flush()
        _add_mail(session, scene.brand, now)
        be_present(
            session, scene.first, who="ann", name="Ann Acme", is_working=True, clock=lambda: now
        )
        reply = write_reply(
            session, scene.first, f"Acme: {words}", by="ann", clock=lambda: now, posts=False
        )
        reply.state, reply.refusal, reply.last_error = ReplyState.APPROVED, Refusal.TOKEN, words
        assert edit is not None
        file = _add_file(session, scene.brand, now, words)
        return Extras(drill.id, edit, erasure.id, reply.id, file.id)


def _of_people(brand_id: int, now: datetime, words: str) -> list[OnCallOverride | Silence]:
    span = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(days=1)}
    made = {"created_by": "ann", "created_at": now}
    return [
        OnCallOverride(
            brand_id=brand_id,
            rotation="acme",
            contact="ben",
            reason=f"Acme: {words}",
            **span,
            **made,
        ),
        Silence(
            brand_id=brand_id,
            topics=[],
            severities=["SEV-3"],
            comment=f"Acme: {words}",
            **span,
            **made,
        ),
    ]


def _add_mail(session: Session, brand_id: int, now: datetime) -> None:
    schedule = ReportSchedule(
        brand_id=brand_id,
        kind="weekly",
        form="html",
        weekday=0,
        hour=9,
        zone="UTC",
        recipients=["board@acme.example"],
        next_due_at=now + timedelta(days=3),
        created_by="ann",
        created_at=now,
    )
    session.add(schedule)
    session.flush()
    session.add(
        ReportMail(
            schedule_id=schedule.id,
            brand_id=brand_id,
            idempotency_key="1",
            kind="weekly",
            form="html",
            until_at=now,
            recipient="board@acme.example",
            status=DeliveryStatus.DEAD,
            next_attempt_at=now,
            created_at=now,
        )
    )


def _add_file(session: Session, brand_id: int, now: datetime, words: str) -> ReportFile:
    file = ReportFile(
        kind=FileKind.WEEKLY,
        brand_id=brand_id,
        until_at=now,
        language="en",
        zone="UTC",
        with_people=False,
        asked_by_id=1,
        state=FileState.READY,
        next_attempt_at=now,
        created_at=now,
        done_at=now,
        expires_at=now + timedelta(days=1),
        file_name="acme.pdf",
        content=f"%PDF- Acme: {words}".encode(),
    )
    session.add(file)
    session.flush()
    return file


def addresses(scene: Scene, extras: Extras) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield route, path and query of every address that gives something to who is signed in."""
    ids: dict[str, tuple[object, ...]] = {
        "mention_id": (scene.first,),
        "incident_id": (scene.incident,),
        "contact_id": (1,),
        "link_id": (scene.link,),
        "drill_id": (extras.drill,),
        "edit_id": (extras.edit,),
        "erasure_id": (extras.erasure,),
        "reply_id": (extras.reply,),
        "file_id": (extras.file,),
        "key": ("acme",),
        "chart": ("volume",),
        "kind": ("weekly", "responses"),
        "form": ("html", "csv"),
        "name": (*(one.value for one in Segment), "influential", "leads", "churn"),
    }
    for (method, route), least in LEAST_ROLE.items():
        if method != "GET" or least is None or route in _NOT_READ:
            continue
        names = [name for name in ids if f"{{{name}}}" in route]
        for values in product(*(_values(route, name, ids) for name in names)):
            path = route
            for name, value in zip(names, values, strict=True):
                path = path.replace(f"{{{name}}}", str(value))
            for query in _queries(route, scene):
                yield route, path, query


def _values(route: str, name: str, ids: Mapping[str, tuple[object, ...]]) -> tuple[object, ...]:
    if name == "name" and "/sources/" in route:
        return ("x-search",)
    # An incident's report is Markdown where a brand's is a table.
    return ("html", "md") if name == "form" and "{incident_id}" in route else ids[name]


def _queries(route: str, scene: Scene) -> list[dict[str, str]]:
    if route == "/queue":
        return [_ASKED]  # its filters say what they were asked for, whoever asks
    asked = _ASKED | {"brand": "acme"}
    if route.startswith("/admin/audit"):
        return [{"since": "2026-03-01"}]
    if route in {"/queue/link", "/queue/escalate"}:
        return [{"ids": str(scene.first)}]
    if route == "/api/v1/queue/presence":
        return [{"mention_id": str(scene.first)}]
    if route in {"/api/v1/figures/people", "/people/segments"}:
        groups = (*(one.value for one in Segment), "influential")
        return [asked | {"group": one} for one in groups]
    return [asked]
