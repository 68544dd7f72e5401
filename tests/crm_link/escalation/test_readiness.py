from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.drills.models import Drill, DrillMode, DrillState
from crm_link.escalation.duty.readiness import POINTS, Part, read_readiness
from crm_link.escalation.models import BURST, Incident, IncidentStatus, Notification
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned
from crm_link.models import DeliveryStatus
from listener.models import Brand, Source, SourceState
from tests.make import NOW, make_brand

PROTOCOL = """
version: 1
contacts:
  - {id: anna, role: social_manager, deputy: ben, channels: [{kind: email, to: "mailto://anna@example.org"}]}
  - {id: ben, role: crisis_lead, channels: [{kind: log}]}
severity:
  - {level: SEV-2, any: [{negatives_gte: 20, window: 1h}], ack: 15m, ack_expires: 30m}
escalation:
  default: {steps: [{notify: [social_manager], after: 0m}, {notify: [crisis_lead], after: 5m}]}
approvals: {SEV-2: [legal]}
drills: {every: 90d}
"""


def parts_of(session: Session, brand: Brand) -> dict[str, Part]:
    (found,) = read_readiness(session, NOW, brand.id)
    assert found.score == sum(part.earned for part in found.parts)
    return {part.name: part for part in found.parts}


@pytest.fixture
def protocol() -> EscalationProtocol:
    return parse_pinned(PROTOCOL)


@pytest.fixture
def brand(session: Session, protocol: EscalationProtocol) -> Brand:
    brand = make_brand(session)
    pin_protocol(session, brand.id, protocol, NOW)
    session.flush()
    return brand


def make_drill(session: Session, brand: Brand, days_ago: int, **changes: object) -> None:
    at = NOW - timedelta(days=days_ago)
    values = {
        "brand_id": brand.id,
        "mode": DrillMode.LIVE,
        "state": DrillState.DONE,
        "scenario": "false_rumour",
        "title": "A false rumour",
        "started_at": at,
        "started_by": "lead",
        "ends_at": at,
        "ended_at": at,
        "script": [],
        "score": 80,
        "result": {},
    }
    session.add(Drill(**(values | changes)))
    session.flush()


def test_the_parts_sum_to_a_hundred() -> None:
    assert sum(POINTS.values()) == 100


def test_what_is_missing_costs_points_and_says_what_to_do(session: Session, brand: Brand) -> None:
    parts = parts_of(session, brand)

    assert {name: part.earned for name, part in parts.items()} == {
        "drill": 0,
        "statements": 0,
        "deputies": 8,
        "channels": 4,  # one was never tried, one has the log only
        "roles": 7,
        "sources": 0,
        "protocol": parts["protocol"].earned,
    }
    assert "ben" in parts["deputies"].to_do
    assert "legal" in parts["roles"].to_do
    assert "anna" in parts["channels"].to_do
    assert all(part.to_do for part in parts.values())


@pytest.mark.parametrize(
    ("days_ago", "points"), [(10, 20), (90, 20), (135, 10), (180, 0), (400, 0)]
)
def test_a_drill_is_worth_less_from_when_the_next_is_due(
    session: Session, brand: Brand, days_ago: int, points: int
) -> None:
    make_drill(session, brand, days_ago)

    assert abs(parts_of(session, brand)["drill"].earned - points) <= 1


def test_compressed_and_stopped_drills_are_no_practice(session: Session, brand: Brand) -> None:
    make_drill(session, brand, 3, mode=DrillMode.FAST)
    make_drill(session, brand, 2, state=DrillState.STOPPED)

    assert parts_of(session, brand)["drill"].earned == 0


@pytest.mark.parametrize(("status", "points"), [(DeliveryStatus.SENT, 8), (DeliveryStatus.DEAD, 0)])
def test_a_channel_is_worth_what_its_last_try_was(
    session: Session,
    brand: Brand,
    protocol: EscalationProtocol,
    status: DeliveryStatus,
    points: int,
) -> None:
    incident = Incident(
        brand_id=brand.id,
        protocol_version_id=pin_protocol(session, brand.id, protocol, NOW),
        topic="general",
        title="made up",
        status=IncidentStatus.RESOLVED,
        severity="SEV-2",
        opened_at=NOW,
        last_seen_at=NOW,
        facts={},
        peak={},
        kind=BURST,
    )
    session.add(incident)
    session.flush()
    for number, ended in enumerate((DeliveryStatus.DEAD, DeliveryStatus.SENT, status)):
        session.add(
            Notification(
                incident_id=incident.id,
                idempotency_key=f"k{number}",
                contact="anna",
                role="social_manager",
                channel="email",
                channel_index=0,
                reason="step",
                payload={},
                status=ended,
                next_attempt_at=NOW,
                created_at=NOW,
            )
        )
    session.flush()

    assert parts_of(session, brand)["channels"].earned == points


def test_a_source_that_fails_is_named(session: Session, brand: Brand) -> None:
    for name, state in (("good", SourceState.OK), ("bad", SourceState.FAILING)):
        session.add(
            Source(
                brand_id=brand.id,
                name=name,
                platform="x",
                options={},
                every_s=60.0,
                state=state,
                last_success_at=NOW,
                created_at=NOW - timedelta(days=1),
            )
        )
    session.flush()

    part = parts_of(session, brand)["sources"]
    assert part.earned == 5
    assert "bad" in part.to_do
    assert "good" not in part.to_do
