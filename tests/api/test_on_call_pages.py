"""Who is on call, silences and the test button, in the console and the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from crm_link.escalation.delivery.delivery_models import Silence
from crm_link.escalation.detection.in_force import protocol_in_force, store_in_force
from crm_link.escalation.models import TEST, Incident, Notification
from crm_link.escalation.protocol_parts.file import parse_protocol
from tests.api.conftest import NOW, SignIn
from tests.api.scene import Scene

PROTOCOL = """
version: 1
contacts:
  - {id: mara, name: Mara Lind, role: lead, deputy: jon, channels: [{kind: log}, {kind: log}]}
  - {id: jon, name: Jon Hall, role: boss, channels: [{kind: log}]}
on_call:
  social: {tz: Europe/Madrid, members: [mara, jon], start: 2026-03-02, every: 1w}
severity:
  - {level: SEV-2, any: [{negatives_gte: 20}], ack: 15m}
escalation:
  default: {steps: [{notify: [on_call(social)]}]}
"""


@pytest.fixture(autouse=True)
def _protocol(sessions: sessionmaker[Session], scene: Scene) -> None:
    protocol = parse_protocol(PROTOCOL)
    assert store_in_force(sessions, {scene.brand: protocol}, NOW) == 1
    assert store_in_force(sessions, {scene.brand: protocol}, NOW) == 0


def test_the_page_says_who_is_on_call_and_who_is_next(sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER).get("/on-call").text

    assert page.index("Mara Lind") < page.index("Jon Hall")
    assert "Send a test" not in page
    assert "Send a test" in sign_in(Role.PR_LEAD).get("/on-call").text


def test_an_override_is_set_shown_and_taken_back(sign_in: SignIn) -> None:
    client = sign_in(Role.PR_LEAD)
    form = {"brand": "acme", "rotation": "social", "contact": "jon", "hours": "8"}
    assert client.post("/on-call/overrides", data=form).status_code == 303

    (rotation,) = client.get("/api/v1/on-call").json()
    assert rotation["now"] == ["jon"]
    assert rotation["shifts"][0]["source"] == "override"
    assert rotation["next"]["contacts"] == ["mara"]
    (override,) = client.get("/api/v1/on-call/overrides", params={"brand": "acme"}).json()
    assert override["created_by"] == "pr_lead@example.org"
    assert client.post(f"/on-call/overrides/{override['id']}/remove").status_code == 303
    assert client.get("/api/v1/on-call").json()[0]["now"] == ["mara"]
    bad = client.post("/on-call/overrides", data=form | {"contact": "zoe"})
    assert bad.status_code == 422


def test_the_test_button_sends_a_marked_message_over_every_channel(
    sign_in: SignIn, sessions: sessionmaker[Session]
) -> None:
    client = sign_in(Role.PR_LEAD)
    answer = client.post("/on-call/test", data={"brand": "acme", "contact": "mara"})

    assert answer.status_code == 303
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Test of the alerts" in page.text
    with sessions() as session:
        incident = session.scalars(select(Incident).where(Incident.kind == TEST)).one()
        rows = session.scalars(
            select(Notification.contact).where(Notification.incident_id == incident.id)
        ).all()
    assert list(rows) == ["mara", "mara"]


def test_a_silence_is_previewed_set_and_ended(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.PR_LEAD)
    form = {"brand": "acme", "severities": ["SEV-2"], "hours": "4", "comment": "campaign <b>"}
    page = client.post("/silences/preview", data=form).text
    assert f'href="/incidents/{scene.incident}"' in page
    assert client.post("/silences", data=form).status_code == 303

    page = client.get("/silences").text
    assert "campaign &lt;b&gt;" in page
    assert "pr_lead@example.org" in page
    (silence,) = client.get("/api/v1/silences").json()
    assert silence["severities"] == ["SEV-2"]
    assert client.post(f"/silences/{silence['id']}/end").status_code == 303
    assert client.get("/api/v1/silences").json() == []
    assert len(client.get("/api/v1/silences", params={"past": True}).json()) == 1
    assert client.post(f"/api/v1/silences/{silence['id']}/end").status_code == 409


@pytest.mark.parametrize(
    "change",
    [{"severities": []}, {"comment": ""}, {"ends_at": NOW.isoformat()}, {"brand": "nobody"}],
)
def test_a_silence_that_cannot_be_is_refused(sign_in: SignIn, change: dict[str, object]) -> None:
    body: dict[str, object] = {
        "brand": "acme",
        "severities": ["SEV-3"],
        "ends_at": (NOW + timedelta(hours=1)).isoformat(),
        "comment": "why",
    }

    answer = sign_in(Role.PR_LEAD).post("/api/v1/silences", json=body | change)

    assert answer.status_code in {404, 422}


def test_a_process_without_files_knows_the_protocol_in_force(
    sessions: sessionmaker[Session], scene: Scene
) -> None:
    with sessions() as session:
        assert "social" in protocol_in_force(session, scene.brand).on_call


def test_a_time_in_a_form_is_in_the_readers_zone(
    sign_in: SignIn, sessions: sessionmaker[Session], scene: Scene
) -> None:
    client = sign_in(Role.PR_LEAD)
    client.post("/account/reading", data={"language": "", "zone": "America/Bogota"})

    page = client.get("/silences").text
    form = {"hours": "2", "comment": "A tasting", "severities": "SEV-3"}
    client.post("/silences", data=form | {"starts": "2026-03-05T09:30"})

    assert "From, America/Bogota (empty: now)" in page
    with sessions() as session:
        silence = session.scalars(select(Silence)).one()
        assert silence.starts_at.isoformat() == "2026-03-05T14:30:00+00:00"
    assert client.post("/silences", data=form | {"starts": "soon"}).status_code == 422
