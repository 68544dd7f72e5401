"""The JSON API over HTTP, as a program uses it."""

from __future__ import annotations

from datetime import timedelta

from api.models import Role
from tests.api.conftest import NOW, SignIn, all_items, email_of
from tests.api.scene import Scene


def test_the_queue_is_paged_in_order_without_loss_or_repeat(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    items = all_items(client, "/api/v1/queue", limit=7)

    assert len(items) == 33
    order = [
        (item["flag"]["due_at"], item["mention"]["id"])  # type: ignore[index]
        for item in items
    ]
    assert order == sorted(order)
    assert len({place[1] for place in order}) == 33


def test_the_queue_is_filtered(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    for params, expected in (
        ({"priority": "cancel"}, 1),
        ({"platform": "reddit"}, 1),
        ({"label": "unknown"}, 1),
        ({"lang": "ar"}, 1),
        ({"text": "REFUND answers"}, 10),
        ({"text": "refund nowhere"}, 0),
        ({"text": '"glass'}, 11),
        ({"brand": "acme"}, 33),
        ({"brand": "other"}, 0),
    ):
        assert len(all_items(client, "/api/v1/queue", **params)) == expected, params


def test_no_search_words_are_an_error(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    for words in ('"', "a AND (", "NEAR(", "-", "*", "'", "\x00", "😡", "col:x"):
        for path in ("/api/v1/queue", "/api/v1/mentions", "/queue", "/mentions"):
            assert client.get(path, params={"text": words}).status_code == 200


def test_mentions_of_all_brands_are_one_list_newest_first(sign_in: SignIn) -> None:
    items = all_items(sign_in(Role.VIEWER), "/api/v1/mentions", limit=10)

    times = [str(item["published_at"]) for item in items]
    assert len(items) == 45
    assert times == sorted(times, reverse=True)


def test_mentions_are_filtered_by_time_and_label(sign_in: SignIn) -> None:
    params = {
        "since": (NOW - timedelta(minutes=30)).isoformat(),
        "until": (NOW - timedelta(minutes=10)).isoformat(),
        "label": "negative",
    }

    items = all_items(sign_in(Role.VIEWER), "/api/v1/mentions", **params)

    assert items
    assert {item["label"] for item in items} == {"negative"}
    assert all("T11:30" <= str(item["published_at"])[10:16] < "T11:50" for item in items)


def test_a_mention_comes_with_everything_around_it(sign_in: SignIn, scene: Scene) -> None:
    found = sign_in(Role.VIEWER).get(f"/api/v1/mentions/{scene.first}").json()

    assert found["author"]["handle"] == "ines_o"
    assert [version["text"] for version in found["versions"]] == [
        "There was glass in my Acme coffee!!!"
    ]
    assert len(found["thread"]) == 2
    assert found["links_to_contacts"][0]["contact"]["name"] == "Ines Okafor"
    assert found["flag"]["status"] == "open"
    assert found["incidents"][0]["id"] == scene.incident


def test_a_label_is_corrected_and_that_is_undone(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    path = f"/api/v1/mentions/{scene.first}"

    corrected = client.post(f"{path}/correct", json={"label": "positive"})
    after = client.get(path).json()
    nonsense = client.post(f"{path}/correct", json={"label": "unknown"})
    undone = client.post(f"{path}/undo-correction")
    again = client.post(f"{path}/undo-correction")

    assert corrected.json()["model_label"] == "negative"
    assert after["label"] == "positive"
    assert after["corrections"][0]["by"] == email_of(Role.COMMUNITY_MANAGER)
    assert nonsense.status_code == 422
    assert undone.status_code == 200
    assert client.get(path).json()["label"] == "negative"
    assert again.status_code == 404


def test_a_flag_is_closed_once_and_reopened_once(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)
    path = f"/api/v1/queue/{scene.first}"

    closed = client.post(f"{path}/close", json={"status": "dismissed", "note": "a joke"})
    again = client.post(f"{path}/close", json={"status": "done"})
    reopened = client.post(f"{path}/reopen")
    reopened_again = client.post(f"{path}/reopen")

    assert closed.json()["closed_by"] == email_of(Role.COMMUNITY_MANAGER)
    assert closed.json()["note"] == "a joke"
    assert again.status_code == 409
    assert "already dismissed" in again.json()["error"]["message"]
    assert reopened.json()["status"] == "open"
    assert reopened_again.status_code == 409
    assert client.post(f"{path}/close", json={"status": "open"}).status_code == 422


def test_an_incidents_way_from_open_to_resolved(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.PR_LEAD)
    path = f"/api/v1/incidents/{scene.incident}"

    acknowledged = client.post(f"{path}/acknowledge").json()
    twice = client.post(f"{path}/acknowledge")
    noted = client.post(f"{path}/notes", json={"text": "Called the plant."})
    escalated = client.post(f"{path}/escalate", json={"reason": "it spreads"}).json()
    silent = client.post(f"{path}/resolve", json={})
    resolved = client.post(f"{path}/resolve", json={"reason": "answered"}).json()

    assert acknowledged["acknowledged_by"] == email_of(Role.PR_LEAD)
    assert twice.status_code == 409
    assert noted.status_code == 201
    assert escalated["status"] == "open"
    assert silent.status_code == 422
    assert resolved["status"] == "resolved"
    kinds = [event["kind"] for event in client.get(path).json()["timeline"]]
    assert kinds[0] == "opened"
    assert {"acknowledged", "note", "escalated", "resolved"} <= set(kinds)
