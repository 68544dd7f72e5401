"""Acknowledging from a phone, without signing in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.settings import Settings
from crm_link.escalation.delivery.acks import Links
from crm_link.escalation.incidents import resolve
from crm_link.escalation.models import Incident, IncidentStatus, Notification
from crm_link.models import DeliveryStatus
from tests.api.conftest import NOW, ORIGIN, MovableClock
from tests.api.scene import Scene


@pytest.fixture
def path(sessions: sessionmaker[Session], scene: Scene, settings: Settings) -> str:
    """Give the path of a link in a message about the scene's incident."""
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        incident.status = IncidentStatus.OPEN
        incident.acknowledged_by = None
        row = Notification(
            incident_id=incident.id,
            idempotency_key="made-up",
            contact="mara",
            role="pr_lead",
            channel="sms",
            reason="step",
            payload={"tag": "step0", "round": 0},
            status=DeliveryStatus.SENT,
            next_attempt_at=NOW,
            created_at=NOW,
            sent_at=NOW,
        )
        session.add(row)
        session.flush()
        link = Links(ORIGIN, settings.secret_key.get_secret_value()).acknowledge(row.id, NOW)
    assert link is not None
    return link.removeprefix(ORIGIN)


def _incident(sessions: sessionmaker[Session], scene: Scene) -> Incident:
    with sessions() as session:
        return session.get_one(Incident, scene.incident)


def test_looking_acknowledges_nothing_and_the_button_does(
    client: TestClient, sessions: sessionmaker[Session], scene: Scene, path: str
) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert client.request(method, path).status_code in {200, 405}
    assert _incident(sessions, scene).status is IncidentStatus.OPEN
    page = client.get(path)
    assert page.text.count("<form") == 1
    assert "Acknowledge</button>" in page.text

    answer = client.post(path)

    assert answer.status_code == 200
    assert "It is yours, mara" in answer.text
    incident = _incident(sessions, scene)
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert incident.acknowledged_by == "mara (link)"


def test_a_link_works_once(
    client: TestClient, sessions: sessionmaker[Session], scene: Scene, path: str
) -> None:
    client.post(path)
    assert client.post(path).status_code == 409
    assert "<form" not in client.get(path).text
    with sessions.begin() as session:
        incident = session.get_one(Incident, scene.incident)
        incident.status = IncidentStatus.OPEN  # the acknowledgement expired

    again = client.post(path)

    assert again.status_code == 409
    assert "used already" in again.text


def test_a_link_expires(
    client: TestClient,
    sessions: sessionmaker[Session],
    scene: Scene,
    path: str,
    clock: MovableClock,
) -> None:
    clock.now += timedelta(hours=73)

    assert client.get(path).status_code == 410
    assert "too old" in client.post(path).text
    assert _incident(sessions, scene).status is IncidentStatus.OPEN


def test_a_link_dies_with_its_incident(
    client: TestClient,
    sessions: sessionmaker[Session],
    scene: Scene,
    path: str,
    clock: MovableClock,
) -> None:
    with sessions.begin() as session:
        resolve(session, scene.incident, by="pr@example.org", reason="over", clock=clock)

    page = client.get(path)

    assert "<form" not in page.text
    assert "resolved by pr@example.org" in page.text
    assert client.post(path).status_code == 409


@pytest.mark.parametrize("change", ["x", "cut", "other key"])
def test_a_link_that_is_not_ours_opens_nothing(
    client: TestClient, sessions: sessionmaker[Session], scene: Scene, path: str, change: str
) -> None:
    forged = {
        "x": path + "x",
        "cut": path[:-3],
        "other key": str(Links("", "y" * 40).acknowledge(1, NOW) or "/a/none"),
    }[change]

    assert client.get(forged).status_code == 404
    assert client.post(forged).status_code == 404
    assert _incident(sessions, scene).status is IncidentStatus.OPEN


def test_a_program_uses_the_link_too(
    client: TestClient, sessions: sessionmaker[Session], scene: Scene, path: str
) -> None:
    token = path.rsplit("/", 1)[1]

    answer = client.post("/api/v1/acknowledge", json={"token": token})

    assert answer.json()["status"] == "acknowledged"
    assert client.post("/api/v1/acknowledge", json={"token": token}).status_code == 409
    assert client.post("/api/v1/acknowledge", json={"token": "x"}).status_code == 404
    with sessions() as session:
        used = session.scalars(
            select(Notification.acked_at).where(Notification.idempotency_key == "made-up")
        ).one()
    assert used == NOW
    assert _incident(sessions, scene).status is IncidentStatus.ACKNOWLEDGED
