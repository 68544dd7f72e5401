"""Work on the queue over HTTP: through the API and through the console's forms."""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi.testclient import TestClient

from api.models import Role
from tests.api.conftest import ORIGIN, SignIn, email_of
from tests.api.scene import Scene

MANAGER, LEAD = email_of(Role.COMMUNITY_MANAGER), email_of(Role.PR_LEAD)


def test_some_are_assigned_seen_and_undone(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    ids = [scene.first, scene.xss]
    body = {"act": "assign", "mention_ids": ids, "assignee": LEAD}

    stranger = client.post("/api/v1/queue/changes", json=body | {"assignee": "x@example.org"})
    done = client.post("/api/v1/queue/changes", json=body).json()
    lead = sign_in(Role.PR_LEAD)
    mine = lead.get("/api/v1/queue", params={"assignee": "me"}).json()["items"]
    late = lead.post(
        "/api/v1/queue/changes",
        json={"act": "done", "mention_ids": ids[:1], "seen": {str(ids[0]): 1}},
    )
    events = lead.get(f"/api/v1/queue/{ids[0]}/events").json()
    undone = lead.post(f"/api/v1/queue/changes/{done['batch']}/undo").json()

    assert stranger.status_code == 422
    assert [(one["assignee"], one["version"]) for one in done["changed"]] == [(LEAD, 2)] * 2
    assert [item["mention"]["id"] for item in mine] == ids
    assert late.status_code == 409
    assert f"{MANAGER} changed this" in late.json()["error"]["message"]
    assert [(one["actor"], one["action"]) for one in events] == [(MANAGER, "assign")]
    assert [one["assignee"] for one in undone["changed"]] == [None, None]


def test_all_that_a_filter_finds_are_changed_as_one(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    body = {"act": "dismiss", "all_of": {"priority": "purchase"}, "note": "a shop answers"}

    done = client.post("/api/v1/queue/changes", json=body).json()
    again = client.post("/api/v1/queue/changes", json=body)

    assert scene.first not in [one["mention_id"] for one in done["changed"]]
    assert len(done["changed"]) == 10
    assert again.status_code == 404
    assert client.post("/api/v1/queue/changes", json={"act": "done"}).status_code == 422


def test_views_lead_the_queue(sign_in: SignIn) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    form = {"name": "Arabic", "filters": "lang=ar&assignee=nobody", "is_default": "true"}

    saved = client.post("/queue/views", data=form)

    assert saved.headers["location"] == "/queue?lang=ar&assignee=nobody"
    begins = client.get("/queue")
    assert (begins.status_code, begins.headers["location"]) == (
        303,
        "/queue?lang=ar&assignee=nobody",
    )
    view = client.get("/api/v1/queue/views").json()[0]
    assert view["filters"] == {"lang": "ar", "assignee": "nobody"}
    other = sign_in(Role.PR_LEAD)
    assert other.get("/api/v1/queue/views").json() == []
    assert other.post(f"/api/v1/queue/views/{view['id']}/remove").status_code == 404
    client.post(f"/queue/views/{view['id']}/remove")
    assert client.get("/queue").status_code == 200


def test_two_people_see_each_other_at_one_mention(sign_in: SignIn, scene: Scene) -> None:
    one, other = sign_in(Role.COMMUNITY_MANAGER), sign_in(Role.PR_LEAD)
    here = {"mention_id": scene.first, "is_working": True}

    assert one.post("/api/v1/queue/presence", json=here).json() == []
    seen = other.post("/api/v1/queue/presence", json=here | {"is_working": False}).json()

    assert [(person["who"], person["is_working"]) for person in seen] == [(MANAGER, True)]
    assert "Community Manager works on it" in other.get("/queue").text
    assert "Community Manager works on this now" in other.get(f"/queue/{scene.first}/reply").text
    one.post("/api/v1/queue/presence", json={"mention_id": None})
    asked = other.get("/api/v1/queue/presence", params={"mention_id": scene.first}).json()
    assert [person["who"] for person in asked["people"]] == [LEAD]
    assert asked["versions"] == {str(scene.first): 1}


def test_forms_without_script_lead_back_with_an_undo(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    form = {"act": "done", "ids": scene.first, "seen": f"{scene.first}:1", "next": "/queue?lang=en"}

    answer = client.post("/queue/changes", data=form)
    page = client.get("/queue").text

    assert answer.headers["location"] == "/queue?lang=en"
    assert "Done: 1 mention" in page
    undo = re.search(r'action="(/queue/changes/\w+/undo)"', page)
    assert undo is not None
    client.post(undo[1])
    assert f'id="card-{scene.first}"' in client.get("/queue").text


def test_a_priority_is_corrected_in_and_out_of_the_queue(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    flagged = {
        item["mention"]["id"] for item in client.get("/api/v1/queue?limit=200").json()["items"]
    }
    items = client.get("/api/v1/mentions?limit=200").json()["items"]
    other = next(item["id"] for item in items if item["id"] not in flagged)

    for mention_id in (scene.first, other):
        client.post(f"/mentions/{mention_id}/priority", data={"priority": "service"})

    for mention_id in (scene.first, other):
        assert client.get(f"/api/v1/mentions/{mention_id}").json()["priority"] == "service"
    assert client.get(f"/api/v1/mentions/{scene.first}").json()["flag"]["priority"] == "service"


def test_a_mentions_page_shows_the_work_and_who_wrote_it(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    form = {"act": "assign", "assignee": LEAD, "ids": scene.first}
    client.post("/queue/changes", data=form | {"next": f"/mentions/{scene.first}"})

    page = client.get(f"/mentions/{scene.first}").text
    later = client.post(
        "/queue/changes",
        data={"act": "done", "ids": scene.first, "seen": f"{scene.first}:1"},
    )

    assert "Pr Lead" in page
    assert "1 thing was done" in page
    assert "customer" in page
    assert "Sentiment by week" in page
    assert later.status_code == 409
    assert f"{MANAGER} changed this" in later.text
    assert client.get(f"/mentions/{scene.xss}").status_code == 200


def test_a_session_that_ended_leads_back_to_the_form(
    open_client: Callable[[], TestClient], scene: Scene
) -> None:
    client = open_client()
    page = f"{ORIGIN}/mentions/{scene.first}"
    form = {"act": "done", "ids": scene.first}

    plain = client.post("/queue/changes", data=form, headers={"Referer": page})
    htmx = client.post(
        "/queue/changes", data=form, headers={"HX-Request": "true", "HX-Current-URL": page}
    )
    elsewhere = client.post(
        "/queue/changes", data=form, headers={"Referer": "https://evil.example/x"}
    )

    back = f"/sign-in?next=/mentions/{scene.first}"
    assert (plain.status_code, plain.headers["location"]) == (303, back)
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, back)
    assert elsewhere.headers["location"] == "/sign-in"
