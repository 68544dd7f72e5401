"""The lists and errors of the JSON API, as a program uses them."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from api.models import Role
from api.paging import encode_cursor
from tests.api.conftest import NOW, SignIn, all_items, email_of
from tests.api.scene import Scene


def test_incidents_are_listed_by_state(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.VIEWER)

    opened = client.get("/api/v1/incidents", params={"status": "open", "brand": "acme"}).json()
    resolved = client.get("/api/v1/incidents", params={"status": "resolved"}).json()

    assert [item["id"] for item in opened["items"]] == [scene.incident]
    assert resolved == {"items": [], "next_cursor": None}


def test_a_suggested_link_is_confirmed_and_that_is_undone(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.COMMUNITY_MANAGER)

    suggested = client.get("/api/v1/links/suggestions").json()["items"]
    confirmed = client.post(f"/api/v1/links/{scene.link}/confirm?expected=true").json()
    contact = client.get(f"/api/v1/contacts/{confirmed['contact_id']}").json()
    undone = client.post(f"/api/v1/links/{scene.link}/undo").json()

    assert [item["id"] for item in suggested] == [scene.link]
    assert suggested[0]["author"]["handle"] == "jo_lind"
    assert confirmed["decided_by"] == email_of(Role.COMMUNITY_MANAGER)
    assert contact["links_to_authors"][0]["author"]["handle"] == "jo_lind"
    assert undone["state"] == "suggested"


def test_contacts_are_found_by_name_and_by_the_crms_id(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    by_name = client.get("/api/v1/contacts", params={"name": "OKAF"}).json()["items"]
    by_id = client.get("/api/v1/contacts", params={"external_id": "C-1002"}).json()["items"]
    by_sign = client.get("/api/v1/contacts", params={"name": "%"}).json()["items"]

    assert [item["name"] for item in by_name] == ["Ines Okafor"]
    assert [item["name"] for item in by_id] == ["Jo Lind"]
    assert by_sign == []
    assert len(all_items(client, "/api/v1/contacts", limit=1)) == 2


def test_a_trend_has_a_point_for_each_bucket_and_an_interval(sign_in: SignIn) -> None:
    params: dict[str, str | int] = {
        "brand": "acme",
        "since": (NOW - timedelta(hours=6)).isoformat(),
        "until": NOW.isoformat(),
        "grain_s": 3600,
    }

    trend = sign_in(Role.VIEWER).get("/api/v1/trends", params=params).json()

    assert len(trend["points"]) == 6
    assert trend["points"][-1]["negative"] == 120
    net = trend["net_sentiment"]
    assert -1 <= net["low"] < net["value"] < net["high"] <= 1


def test_a_trend_that_makes_no_sense_is_refused(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    for params in (
        {"grain_s": "450"},
        {"since": "2026-03-04T12:00:00Z", "until": "2026-03-04T11:00:00Z"},
        {"since": "2020-01-01T00:00:00Z", "grain_s": "300"},
        {"since": "2026-03-04T12:00:00"},
        {"since": "yesterday"},
    ):
        answer = client.get("/api/v1/trends", params=params)

        assert answer.status_code == 422
        assert answer.json()["error"]["kind"] == "invalid"


def test_sources_gaps_and_coverage(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    sources = {one["name"]: one for one in client.get("/api/v1/sources").json()}
    gaps = client.get("/api/v1/sources/gaps", params={"brand": "acme"}).json()
    coverage = client.get("/api/v1/sources/coverage", params={"brand": "acme"}).json()

    assert sources["reddit-search"]["state"] == "failing"
    assert sources["reddit-search"]["open_gaps"] == 1
    assert gaps[0]["kind"] == "horizon"
    assert 0 < coverage["share"] < 1


def test_a_cursor_that_is_not_ours_is_refused(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    for cursor in (
        "x",
        "!!!",
        "W10",
        encode_cursor(1),
        encode_cursor("1", "2", "3"),
        encode_cursor(1, "x", 2),
        encode_cursor(1, "2026-01-01T00:00:00", 2),
        encode_cursor(None, None, None),
        "e30",
    ):
        answer = client.get("/api/v1/queue", params={"cursor": cursor})

        assert answer.status_code == 422
        assert "cursor" in answer.json()["error"]["message"]


def test_every_error_has_the_one_shape(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    for path, status, kind in (
        ("/api/v1/mentions/999999", 404, "not_found"),
        ("/api/v1/mentions/x", 422, "invalid"),
        ("/api/v1/mentions?limit=0", 422, "invalid"),
        ("/api/v1/mentions?limit=201", 422, "invalid"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/v1/trends?brand=nobody", 404, "not_found"),
    ):
        answer = client.get(path)

        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        assert answer.json()["error"]["kind"] == kind
        assert set(answer.json()["error"]) == {"kind", "message", "request_id"}


def test_the_api_describes_itself(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()

    assert described["openapi"].startswith("3.")
    tags = {tag["name"] for tag in described["tags"]}
    for path, methods in described["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            assert set(operation["tags"]) <= tags
            assert operation["summary"]


def test_a_database_that_is_gone_is_said_and_comes_back(
    app: FastAPI, sign_in: SignIn, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    client = sign_in(Role.VIEWER)
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE brand RENAME TO brand_gone"))

    broken = TestClient(app, cookies=client.cookies, raise_server_exceptions=False).get(
        "/api/v1/brands"
    )
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE brand_gone RENAME TO brand"))
    engine.dispose()

    assert broken.status_code in {500, 503}
    assert broken.json()["error"]["kind"] in {"error", "unavailable"}
    assert "brand" not in broken.json()["error"]["message"]
    assert client.get("/api/v1/brands").status_code == 200
