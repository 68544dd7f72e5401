"""The desk of an incident through the JSON API and the console's forms."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.users import DEMO_EMAIL
from crm_link.escalation.detect import detect
from crm_link.escalation.playbook.claims import gather_claims
from crm_link.escalation.protocol_parts.history import Sight, record_sight
from tests.api.conftest import MovableClock, SignIn
from tests.api.scene import Scene
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import make_brand, make_mentions, make_protocol

CUPS = ("latte", "mocha", "iced", "oat", "filter", "flat")
SOLD = ("coffee", "beans", "espresso", "cups", "lattes", "syrup")


@pytest.fixture
def incident_id(sessions: sessionmaker[Session], clock: MovableClock, scene: Scene) -> int:
    assert scene.users
    brand_id = make_brand(sessions, "leaf")
    posts = [f"There was glass in my {cup} from Leaf, the grinder broke" for cup in CUPS]
    posts += [f"Leaf knew the machines fail and kept selling {one}, they hid it" for one in SOLD]
    make_mentions(sessions, brand_id, *posts, pending=None, topic="general", published_at=clock.now)
    protocol = make_protocol(FULL.replace("dora@example.org", DEMO_EMAIL))
    (incident_id,) = detect(sessions, {brand_id: protocol}, clock=clock)
    gather_claims(sessions, clock=clock)
    with sessions.begin() as session:
        record_sight(session, Sight(brand_id, protocol, "leaf.yaml", "anna"), clock())
    return incident_id


def _get(client: TestClient, path: str) -> dict[str, object]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_crisis_is_worked_through_the_api(sign_in: SignIn, incident_id: int) -> None:
    client, lead = sign_in(Role.PR_LEAD), sign_in(Role.ADMIN)
    path = f"/api/v1/incidents/{incident_id}"
    assert client.post(f"{path}/acknowledge").status_code == 200
    playbook = _get(client, f"{path}/playbook")
    assert (playbook["playbook"], playbook["strategy"]) == ("unknown", "holding")
    done = client.post(f"{path}/tasks/verify_facts/done")
    assert done.json()["done_by"] == "pr_lead@example.org"
    assert client.post(f"{path}/tasks/verify_facts/done").status_code == 409

    asked = client.post(f"{path}/statements", json={"key": "holding_v1", "lang": "en"})
    assert (asked.status_code, asked.json()["needs"]) == (201, ["crisis_lead"])
    statement = f"/api/v1/statements/{asked.json()['id']}"
    assert client.post(f"{statement}/approve", json={}).status_code == 403
    assert client.post(f"{statement}/publish", json={}).status_code == 409
    assert lead.post(f"{statement}/approve", json={}).json()["state"] == "approved"
    published = client.post(f"{statement}/publish", json={"url": "https://leaf.example/news"})
    assert published.json()["state"] == "published"

    claims = client.get(f"{path}/claims").json()
    assert [one["mentions"] for one in claims] == [6, 6]
    verdict = f"{path}/claims/{claims[0]['id']}/verdict"
    assert client.post(verdict, json={"verdict": "untrue"}).status_code == 422  # no evidence
    answer = client.post(verdict, json={"verdict": "untrue", "evidence": "https://leaf.example/x"})
    assert answer.json()[0]["owner"] == "pr_lead@example.org"
    assert _get(client, f"{path}/playbook")["playbook"] == "untrue"
    refused = client.post(f"{path}/statements", json={"key": "apology_v1", "lang": "en"})
    assert refused.status_code == 409
    assert "who apologises for it confirms it" in refused.text
    offers = client.get(f"{path}/statements").json()["offers"]
    assert next(one for one in offers if one["is_next"])["key"] == "correction_v1"
    note = {"text": "We recall the grinders.", "is_decision": True}
    assert client.post(f"{path}/notes", json=note).json()["timeline"][-1]["kind"] == "decision"
    assert client.post(f"{path}/said", json={"where": "on the radio"}).status_code == 200
    assert client.post(f"{path}/severity", json={"severity": "SEV-1"}).json()["severity"] == "SEV-1"
    merged = client.post(
        f"{path}/claims/{claims[1]['id']}/merge", json={"into": claims[0]["id"]}
    ).json()
    assert [one["mentions"] for one in merged] == [12]


def test_the_page_shows_the_desk_and_its_forms_work(sign_in: SignIn, incident_id: int) -> None:
    client = sign_in(Role.ADMIN)
    path = f"/incidents/{incident_id}"
    form = {"claim": "true_claim", "cluster": "accidental", "crisis_history": "true"}
    assert client.post(f"{path}/acknowledge", data=form).status_code == 303

    page = client.get(path).text

    assert "with its history as <strong>preventable</strong>" in page
    assert "Apologise, without ifs" in page
    assert "There was glass in my" in page
    assert "Holding statement" in page
    assert client.post(f"{path}/tasks/apologise/done").status_code == 303
    asked = client.post(f"{path}/statements", data={"key": "apology_v1", "lang": "en"})
    assert asked.status_code == 303
    assert client.post(f"{path}/statements/1/approve").status_code == 303
    assert client.post(f"{path}/statements/1/publish", data={"url": ""}).status_code == 303
    page = client.get(path).text
    assert 'class="state published"' in page
    assert "Statement published" in page
    denial = client.post(
        f"{path}/statements",
        data={"key": "correction_v1", "lang": "en", "value.evidence": "https://leaf.example/x"},
    )
    assert denial.status_code == 409
    assert "contradicts the verdict" in denial.text


def test_a_viewer_sees_the_desk_without_its_buttons(sign_in: SignIn, incident_id: int) -> None:
    client = sign_in(Role.VIEWER)

    page = client.get(f"/incidents/{incident_id}").text

    assert "Claims" in page
    assert "Ask for approval" not in page
    assert "Save the verdict" not in page


def test_the_class_of_a_negative_mention_is_corrected(
    sign_in: SignIn, sessions: sessionmaker[Session], incident_id: int
) -> None:
    assert incident_id
    client = sign_in(Role.COMMUNITY_MANAGER)
    mentions = client.get("/api/v1/mentions", params={"brand": "leaf", "limit": 1}).json()["items"]
    path = f"/api/v1/mentions/{mentions[0]['id']}"
    assert _get(client, f"{path}/protocol")["kind"] == "other"

    answer = client.post(f"{path}/class", json={"kind": "complaint"})

    assert answer.json() == {
        "kind": "complaint",
        "decided_by": "community_manager@example.org",
        "route": "customer_service",
        "answer": None,
    }
