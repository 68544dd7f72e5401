"""What is no crisis, an alert about Groundswell itself or a test, in pages and statistics."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.status import read_status
from config.errors import NotFoundError
from crm_link.escalation.delivery.trial import send_test
from crm_link.escalation.detection.operations import DEAD_LETTERS, raise_operation
from crm_link.escalation.detection.pinned import pin_protocol
from crm_link.escalation.exports import export_incidents
from crm_link.escalation.report import read_report
from tests.api.conftest import NOW, SignIn
from tests.api.scene import Scene
from tests.crm_link.making import make_protocol

LINES = ["A message to anna (sms) was given up.", "A message to ben (sms) was given up."]


@pytest.fixture
def alert(sessions: sessionmaker[Session], scene: Scene) -> int:
    """Return an alert about Groundswell that happened twice."""
    with sessions.begin() as session:
        version = pin_protocol(session, scene.brand, make_protocol(), NOW)
        found = [
            raise_operation(
                session,
                scene.brand,
                version,
                topic=DEAD_LETTERS,
                title="anna cannot be reached",
                lines=[line],
                now=NOW,
            )
            for line in LINES
        ]
    assert found[0] is not None
    assert found[1] is None
    return found[0]


@pytest.fixture
def trial(sessions: sessionmaker[Session], scene: Scene) -> int:
    """Return a test message."""
    with sessions.begin() as session:
        return send_test(
            session, make_protocol(), brand_id=scene.brand, contacts=[], by="a", clock=lambda: NOW
        ).id


def test_the_page_says_what_happened_and_nothing_of_mentions(sign_in: SignIn, alert: int) -> None:
    page = sign_in(Role.PR_LEAD).get(f"/incidents/{alert}").text

    assert page.index(LINES[1]) < page.index(LINES[0])  # the newest first
    assert "about Groundswell" in page
    for absent in ("What is said", "How big", "last post", "room-chart", "/why", '/report"'):
        assert absent not in page


def test_a_crisis_still_has_all_of_that(sign_in: SignIn, scene: Scene) -> None:
    page = sign_in(Role.PR_LEAD).get(f"/incidents/{scene.incident}").text

    assert "about Groundswell" not in page
    for there in ("What is said", "How big", "last post", "room-chart", "/why", '/report"'):
        assert there in page


def test_neither_is_counted_listed_exported_or_reported_as_a_crisis(
    sign_in: SignIn,
    sessions: sessionmaker[Session],
    scene: Scene,
    alert: int,
    trial: int,
    tmp_path: Path,
) -> None:
    client = sign_in(Role.ADMIN)
    with sessions() as session:
        counts = read_status(session, NOW).counts
        assert counts["incidents not resolved"] == 1
        assert counts["alerts about Groundswell itself"] == 1
        for number in (alert, trial):
            with pytest.raises(NotFoundError, match="not about mentions"):
                read_report(session, number, now=NOW)
    assert client.get(f"/api/v1/incidents/{alert}/report").status_code == 404
    listed = [one["id"] for one in client.get("/api/v1/incidents").json()["items"]]
    assert listed == [alert, scene.incident]
    out = tmp_path / "incidents.jsonl"
    assert export_incidents(sessions, out) == 1
    assert orjson.loads(out.read_bytes())["id"] == scene.incident
