"""Links for executives: they show an incident, no names, and stop when they should."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import AuditEvent, Role
from api.rate_limit import RateLimit, TooManyRequestsError
from crm_link.escalation.war_room.share_models import IncidentShare
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene

NAMES = ("Ines", "Ben Roth", "anna", "Tom Berg", "example.org", "Okafor", "There was glass")


def _make(client: TestClient, scene: Scene, **form: str) -> str:
    answer = client.post(
        f"/incidents/{scene.incident}/shares", data={"name": "the board", "hours": "24"} | form
    )
    assert answer.status_code == 200, answer.text
    found = re.search(r'id="shared-address">[^<]*(/s/[^<]+)<', answer.text)
    assert found is not None
    return found[1]


def test_a_link_shows_the_incident_without_signing_in_and_without_names(
    sign_in: SignIn,
    client: TestClient,
    scene: Scene,
    sessions: sessionmaker[Session],
    clock: MovableClock,
) -> None:
    lead = sign_in(Role.PR_LEAD)
    lead.post(f"/incidents/{scene.incident}/note", data={"text": "Ines Okafor called us"})
    path = _make(lead, scene)

    page = client.get(path)
    clock.now += timedelta(seconds=5)
    client.get(path)

    assert page.status_code == 200
    assert "Glass in the cup" in page.text
    assert "How big" in page.text
    for name in NAMES:
        assert name not in page.text
    for tag in ("<form", "<input", "<button", "/mentions/"):
        assert tag not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    with sessions() as session:
        share = session.scalars(select(IncidentShare)).one()
        acts = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
        stored = share.digest
    assert share.opened == 1
    assert stored not in path
    assert path.split("/")[-1].split(".")[0] not in stored
    assert "link 1 to it created" in acts
    assert acts.count("opened for the first time") == 1


def test_a_link_stops_when_it_expires_or_is_revoked_or_is_changed(
    sign_in: SignIn, client: TestClient, scene: Scene, clock: MovableClock
) -> None:
    lead = sign_in(Role.PR_LEAD)
    first, second = _make(lead, scene), _make(lead, scene, hours="4")

    revoked = lead.post(f"/incidents/{scene.incident}/shares/1/revoke")
    assert revoked.status_code == 303
    assert client.get(first).status_code == 404
    assert lead.post(f"/incidents/{scene.incident}/shares/1/revoke").status_code == 409
    assert client.get(second).status_code == 200
    assert client.get(second + "x").status_code == 404
    clock.now += timedelta(hours=4)
    gone = client.get(second)
    assert gone.status_code == 404
    assert "Glass" not in gone.text
    page = lead.get(f"/incidents/{scene.incident}").text
    assert "expired" in page
    assert "revoked" in page


@pytest.mark.parametrize("form", [{"name": "  "}, {"hours": "5"}, {"hours": "100000"}])
def test_a_link_without_a_name_or_with_another_life_is_refused(
    sign_in: SignIn, scene: Scene, form: dict[str, str]
) -> None:
    answer = sign_in(Role.PR_LEAD).post(
        f"/incidents/{scene.incident}/shares", data={"name": "board", "hours": "4"} | form
    )

    assert answer.status_code == 422


def test_who_asks_too_often_has_to_wait_and_others_have_not() -> None:
    limit = RateLimit(3, most_known=2)

    for _ in range(3):
        limit.require("one")
    with pytest.raises(TooManyRequestsError) as refused:
        limit.require("one")
    limit.require("two")

    assert 0 < refused.value.retry_after_s <= 20
