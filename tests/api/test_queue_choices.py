"""Linking and escalating from the queue over HTTP: what is offered, and the forms."""

from __future__ import annotations

from api.models import Role
from tests.api.conftest import SignIn
from tests.api.scene import Scene


def test_a_contact_is_found_linked_and_unlinked(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    offered = client.get("/queue/link", params={"ids": scene.xss, "q": "ines@exam"}).text
    nobody = client.get("/queue/link", params={"ids": scene.xss, "q": "zzz"}).text

    assert "Ines Okafor" in offered
    assert "&lt;b&gt;Mallory" in offered
    assert "<b>Mallory" not in offered
    assert 'name="expected"' in offered
    assert "Nobody in the CRM matches" in nobody
    contact = client.get(f"/api/v1/mentions/{scene.first}").json()["links_to_contacts"][0][
        "contact"
    ]["id"]
    form = {"act": "link", "ids": scene.xss, "seen": f"{scene.xss}:1", "contact_id": contact}
    refused = client.post("/queue/changes", data=form)
    linked = client.post("/queue/changes", data=form | {"expected": "true", "next": "/queue"})
    late = client.post("/queue/changes", data=form | {"act": "unlink"})
    mention = client.get(f"/api/v1/mentions/{scene.xss}").json()
    link = mention["links_to_contacts"][0]

    assert refused.status_code == 422
    assert "would not surprise" in refused.text
    assert linked.headers["location"] == "/queue"
    assert "Linked: 1 mention" in client.get("/queue").text
    assert late.status_code == 409
    assert (link["state"], link["contact"]["id"]) == ("confirmed", contact)
    now = client.get("/queue/link", params={"ids": scene.xss}).text
    assert "Linked to" in now
    done = client.post("/api/v1/queue/changes", json={"act": "unlink", "mention_ids": [scene.xss]})
    assert done.status_code == 200
    audit = sign_in(Role.ADMIN).get("/admin/audit").text
    assert "link confirmed" in audit
    assert "link rejected" in audit


def test_an_incident_is_joined_or_opened(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    offered = client.get("/queue/escalate", params={"ids": scene.first}).text
    bare = client.get(
        "/queue/escalate", params={"ids": scene.rtl}, headers={"HX-Request": "true"}
    ).text

    assert f'name="incident_id" value="{scene.incident}"' in offered
    assert 'name="severity" value="SEV-1"' in bare
    assert "<html" not in bare
    form = {"act": "escalate", "ids": scene.rtl, "severity": "SEV-2", "next": "/queue"}
    assert client.post("/queue/changes", data=form).status_code == 422
    client.post("/queue/changes", data=form | {"note": "A journalist asks"})
    page = client.get("/queue").text
    assert "Escalated: 1 mention" in page
    assert "/undo" not in page
    incidents = client.get("/api/v1/incidents").json()["items"]
    assert (incidents[0]["status"], incidents[0]["severity"]) == ("open", "SEV-2")
    assert f'href="/incidents/{incidents[0]["id"]}"' in page
    room = client.get(f"/incidents/{incidents[0]['id']}").text
    assert "Raised by a person" in room
    assert "A journalist asks" in room


def test_viewers_are_offered_neither(sign_in: SignIn, scene: Scene) -> None:
    viewer = sign_in(Role.VIEWER)

    assert viewer.get("/queue/link", params={"ids": scene.first}).status_code == 403
    assert viewer.get("/queue/escalate", params={"ids": scene.first}).status_code == 403
    assert "/queue/escalate" not in viewer.get("/queue").text
