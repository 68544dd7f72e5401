"""API keys, posts that mean harm, headers, and the audit log."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.models import ApiKey, AuditEvent, Role, User
from api.users import _hasher as console_hasher
from tests.api.conftest import SignIn, email_of
from tests.api.scene import Scene


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_an_api_key_has_its_users_rights_and_needs_no_origin(
    app: FastAPI, sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    secret = (
        sign_in(Role.COMMUNITY_MANAGER).post("/api/v1/keys", json={"name": "bot"}).json()["secret"]
    )
    program = TestClient(app, headers=_bearer(secret))

    closed = program.post(f"/api/v1/queue/{scene.first}/close", json={"status": "done"})
    refused = program.post(f"/api/v1/incidents/{scene.incident}/acknowledge")

    assert closed.json()["closed_by"] == email_of(Role.COMMUNITY_MANAGER)
    assert refused.status_code == 403
    with sessions() as session:
        key = session.scalar(select(ApiKey))
        assert key is not None
        assert secret not in {key.digest, key.prefix}
        assert key.last_used_at is not None


def test_a_revoked_or_made_up_key_opens_nothing(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)
    made = client.post("/api/v1/keys", json={"name": "bot"}).json()
    client.post(f"/api/v1/keys/{made['id']}/revoke")

    answers = [
        client.get("/api/v1/me", headers=_bearer(secret))
        for secret in (made["secret"], "gsk_madeup", "other", made["secret"][:-1])
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert answers[0].json()["error"]["kind"] == "unauthenticated"
    assert answers[0].headers["www-authenticate"] == "Bearer"


def test_nobody_revokes_somebody_elses_key(
    sign_in: SignIn, sessions: sessionmaker[Session]
) -> None:
    made = sign_in(Role.ADMIN).post("/api/v1/keys", json={"name": "mine"}).json()

    answer = sign_in(Role.VIEWER).post(f"/api/v1/keys/{made['id']}/revoke")

    assert answer.status_code == 404
    with sessions() as session:
        assert session.get_one(ApiKey, made["id"]).revoked_at is None


def test_markup_in_posts_and_names_is_text(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.ADMIN)

    for path in (f"/mentions/{scene.xss}", "/queue", "/mentions", f"/incidents/{scene.incident}"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "<img src=x" not in page.text
        assert "<b>Mallory" not in page.text
        assert "<i>lory" not in page.text
        assert 'href="javascript:' not in page.text
    assert "&lt;script&gt;" in client.get(f"/mentions/{scene.xss}").text


def test_every_answer_has_the_headers_that_keep_scripts_out(
    sign_in: SignIn, client: TestClient
) -> None:
    for answer in (
        client.get("/sign-in"),
        client.get("/nothing-here"),
        client.get("/static/app.css"),
        sign_in(Role.VIEWER).get("/queue"),
        sign_in(Role.VIEWER).get("/api/v1/me"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert client.get("/sign-in").headers["cache-control"] == "no-store"


def test_pages_have_no_inline_script_or_style_and_nothing_from_other_sites(
    sign_in: SignIn, scene: Scene
) -> None:
    client = sign_in(Role.ADMIN)

    for path in (
        "/queue",
        f"/mentions/{scene.first}",
        f"/incidents/{scene.incident}",
        "/board",
        "/links",
        "/sources",
        "/users",
        "/account",
        "/mentions",
        "/incidents",
    ):
        text = client.get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        assert 'src="http' not in text
        assert "<script>" not in text


def test_what_people_change_is_in_the_audit_log(
    sign_in: SignIn, scene: Scene, sessions: sessionmaker[Session]
) -> None:
    client = sign_in(Role.ADMIN)
    client.post("/queue/changes", data={"act": "done", "ids": scene.first})
    client.post("/queue/changes", data={"act": "reopen", "ids": scene.first})
    client.post(f"/incidents/{scene.incident}/acknowledge")
    client.post(f"/links/{scene.link}/reject")

    with sessions() as session:
        written = {
            (event.action, event.subject)
            for event in session.scalars(select(AuditEvent))
            if event.actor == email_of(Role.ADMIN)
        }

    assert written >= {
        ("flag done", f"mention {scene.first}"),
        ("flag reopen", f"mention {scene.first}"),
        ("incident acknowledged", f"incident {scene.incident}"),
        ("link rejected", f"link {scene.link}"),
    }


def test_passwords_are_stored_as_argon2_only(
    sign_in: SignIn, sessions: sessionmaker[Session]
) -> None:
    sign_in(Role.ADMIN).post(
        "/users",
        data={"email": "new@example.org", "role": "viewer", "password": "a fresh long password"},
    )

    with sessions() as session:
        user = session.scalar(select(User).where(User.email == "new@example.org"))
        assert user is not None
        assert user.password_hash.startswith("$argon2id$")


def test_a_guess_at_a_password_costs_what_rfc_9106_recommends() -> None:
    costs = console_hasher.time_cost, console_hasher.memory_cost, console_hasher.parallelism

    assert costs == (3, 64 * 1024, 4)  # the second recommended option: passes, KiB, lanes
