"""The console against people who mean harm: sessions, origins, keys, redirects, posts."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from api.models import Role
from api.security import HOME, safe_next
from api.users import LOCK, MAX_FAILURES
from config.errors import InputError
from config.settings import Settings
from crm_link.models import Flag, FlagStatus
from tests.api.build import PASSWORD
from tests.api.conftest import ORIGIN, MovableClock, SignIn, email_of
from tests.api.scene import Scene

WRONG = {"email": email_of(Role.VIEWER), "password": "not the password"}
RIGHT = {"email": email_of(Role.VIEWER), "password": PASSWORD}


def test_there_is_no_default_secret(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(InputError, match="GROUNDSWELL_SECRET_KEY"):
        create_app(Settings(), sessions)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver.evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(
    sign_in: SignIn,
    scene: Scene,
    sessions: sessionmaker[Session],
    headers: dict[str, str],
) -> None:
    client = sign_in(Role.ADMIN)

    form = {"act": "done", "ids": scene.first}
    pages = client.post("/queue/changes", headers=headers, data=form)
    program = client.post(
        f"/api/v1/queue/{scene.first}/close", headers=headers, json={"status": "done"}
    )

    assert (pages.status_code, program.status_code) == (403, 403)
    with sessions() as session:
        flag = session.scalar(select(Flag).where(Flag.mention_id == scene.first))
        assert flag is not None
        assert flag.status is FlagStatus.OPEN


def test_another_sites_page_cannot_sign_anybody_in(client: TestClient) -> None:
    answer = client.post("/sign-in", data=RIGHT, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "user_id" not in answer.headers.get("set-cookie", "")
    assert client.get("/queue").status_code == 303


def test_signing_in_begins_a_new_session(client: TestClient) -> None:
    client.cookies.set("groundswell", "planted-by-somebody")
    client.post("/sign-in", data=RIGHT)
    first = client.cookies.get("groundswell", domain="testserver.local")

    client.post("/sign-in", data={"email": email_of(Role.ADMIN), "password": PASSWORD})

    assert client.cookies.get("groundswell", domain="testserver.local") != first
    assert client.get("/api/v1/me").json()["email"] == email_of(Role.ADMIN)


def test_the_session_cookie_is_out_of_reach_of_scripts(client: TestClient) -> None:
    cookie = client.post("/sign-in", data=RIGHT).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_the_cookie_is_secure_where_the_console_is(
    sessions: sessionmaker[Session], scene: Scene
) -> None:
    settings = Settings(secret_key=SecretStr("k" * 40), public_url="https://console.example.org")
    client = TestClient(create_app(settings, sessions), base_url="https://testserver")

    answer = client.post(
        "/sign-in", data=RIGHT, headers={"Origin": "https://testserver"}, follow_redirects=False
    )

    assert scene.users
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_forged_cookie_is_nobody(client: TestClient) -> None:
    client.cookies.set("groundswell", "eyJ1c2VyX2lkIjogMX0=.aaaaaa.forged")

    assert client.get("/api/v1/me").status_code == 401


def test_a_new_password_ends_all_other_sessions(sign_in: SignIn) -> None:
    here, there = sign_in(Role.VIEWER), sign_in(Role.VIEWER)

    answer = here.post(
        "/account/password", data={"current": PASSWORD, "new": "another long password"}
    )

    assert answer.status_code == 303
    assert here.get("/api/v1/me").status_code == 200
    assert there.get("/api/v1/me").status_code == 401


def test_the_password_is_needed_to_change_it(sign_in: SignIn) -> None:
    client = sign_in(Role.VIEWER)

    answer = client.post("/account/password", data={"current": "guess", "new": "a long new one"})

    assert answer.status_code == 422
    assert client.post("/sign-in", data=RIGHT).status_code == 303


def test_switching_a_user_off_ends_their_session_and_keys(sign_in: SignIn, scene: Scene) -> None:
    admin, viewer = sign_in(Role.ADMIN), sign_in(Role.VIEWER)
    secret = viewer.post("/api/v1/keys", json={"name": "report"}).json()["secret"]

    answer = admin.patch(f"/api/v1/users/{scene.users[Role.VIEWER]}", json={"is_active": False})

    assert answer.json()["is_active"] is False
    assert viewer.get("/api/v1/me").status_code == 401
    assert admin.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_the_last_admin_stays(sign_in: SignIn, scene: Scene) -> None:
    answer = sign_in(Role.ADMIN).patch(
        f"/api/v1/users/{scene.users[Role.ADMIN]}", json={"role": "viewer"}
    )

    assert answer.status_code == 409
    assert answer.json()["error"]["kind"] == "conflict"


def test_an_account_is_locked_after_wrong_passwords_and_opens_again(
    client: TestClient, clock: MovableClock
) -> None:
    for _ in range(MAX_FAILURES):
        assert client.post("/sign-in", data=WRONG).status_code == 401

    assert client.post("/sign-in", data=RIGHT).status_code == 401
    clock.now += LOCK + timedelta(seconds=1)
    assert client.post("/sign-in", data=RIGHT).status_code == 303


def test_nobody_learns_which_addresses_are_known(client: TestClient) -> None:
    known = client.post("/sign-in", data=WRONG)
    unknown = client.post("/sign-in", data=WRONG | {"email": "nobody@example.org"})

    assert known.status_code == unknown.status_code == 401
    assert known.text.replace(WRONG["email"], "") == unknown.text.replace("nobody@example.org", "")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "///evil.example",
        "evil.example",
        "/sign-out",
        "",
    ],
)
def test_only_paths_of_this_console_are_led_on_to(target: str) -> None:
    assert safe_next(target) == HOME


def test_signing_in_leads_to_no_other_site(client: TestClient) -> None:
    answer = client.post("/sign-in", data=RIGHT | {"next": "//evil.example"})

    assert answer.headers["location"] == HOME


def test_signing_in_leads_on_to_the_page_that_was_asked_for(client: TestClient) -> None:
    target = "/queue?brand=acme"
    page = client.get(target)
    assert page.headers["location"] == f"/sign-in?next={quote(target, safe='/')}"

    answer = client.post("/sign-in", data=RIGHT | {"next": target})

    assert answer.headers["location"] == target


def test_one_click_sign_in_exists_in_the_demo_only(
    client: TestClient, settings: Settings, sessions: sessionmaker[Session]
) -> None:
    assert client.post("/sign-in/demo").status_code == 404
    assert "demo" not in client.get("/sign-in").text.lower()

    demo = TestClient(
        create_app(settings, sessions, is_demo=True),
        headers={"Origin": ORIGIN},
        follow_redirects=False,
    )
    assert demo.post("/sign-in/demo").headers["location"] == HOME
    assert "Demo." in demo.get("/queue").text
