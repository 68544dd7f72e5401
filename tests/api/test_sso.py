"""Single sign-on against a provider over real HTTP: who is let in, and what is not believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from api.models import AuditEvent, Role, User
from api.sso import SingleSignOn, SsoSettings
from config.errors import InputError
from config.settings import Settings
from tests.api.build import PASSWORD
from tests.api.conftest import ORIGIN, email_of
from tests.api.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, running
from tests.api.scene import Scene

Open = Callable[..., TestClient]


@pytest.fixture(scope="module")
def _server() -> Iterator[IdentityProvider]:
    with running(IdentityProvider()) as provider:
        yield provider


@pytest.fixture
def provider(_server: IdentityProvider) -> IdentityProvider:
    fresh = IdentityProvider()
    _server.claims, _server.wrong, _server.signs_with = fresh.claims, {}, ""
    return _server


@pytest.fixture
def open_console(
    provider: IdentityProvider,
    settings: Settings,
    sessions: sessionmaker[Session],
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> Open:
    """Give a function that opens a console with single sign-on and more settings."""
    assert scene.users

    def make(**more: str) -> TestClient:
        values = {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        for name, value in (values | more).items():
            monkeypatch.setenv(f"GROUNDSWELL_SSO_{name.upper()}", value)
        return TestClient(
            create_app(settings, sessions),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN},
            follow_redirects=False,
        )

    return make


def _come(console: TestClient, provider: IdentityProvider, path: str = "/sign-in/sso") -> str:
    """Go to the provider and back; return where the console leads on, or its status."""
    away = console.get(path)
    assert away.status_code in {302, 303}, away.text
    back = console.get(provider.sign(away.headers["location"]))
    return back.headers.get("location", str(back.status_code))


def test_who_comes_for_the_first_time_is_a_viewer(
    open_console: Open, provider: IdentityProvider, sessions: sessionmaker[Session]
) -> None:
    console = open_console(name="Example ID")
    assert "Sign in with Example ID" in console.get("/sign-in").text

    assert _come(console, provider) == "/queue"
    me = console.get("/api/v1/me").json()
    assert (me["email"], me["name"], me["role"]) == ("ana@example.org", "Ana Prieto", "viewer")
    assert _come(console, provider, "/sign-in/sso?next=/board") == "/board"
    with sessions() as session:
        assert len(session.scalars(select(User).where(User.subject.is_not(None))).all()) == 1
        actions = session.scalars(
            select(AuditEvent.action).where(AuditEvent.actor == "ana@example.org")
        ).all()
    assert actions.count("signed in by single sign-on") == 2


def test_an_account_with_the_address_is_taken_over_once(
    open_console: Open, provider: IdentityProvider
) -> None:
    console = open_console()
    provider.claims["email"] = email_of(Role.PR_LEAD)

    assert _come(console, provider) == "/queue"
    assert console.get("/api/v1/me").json()["role"] == "pr_lead"

    # The address has been given to another person meanwhile.
    provider.claims["sub"] = "u-2"
    console.post("/sign-out")
    assert _come(console, provider) == "403"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another one"},
        {"nonce": None},
        {"aud": "another client"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"sub": ""},
        {"email": ""},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(
    open_console: Open, provider: IdentityProvider, claims: dict[str, object]
) -> None:
    console = open_console()
    provider.wrong = {"claims": claims, "userinfo": {}}

    assert _come(console, provider) == "403"
    assert console.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("signed", ["another key", "nothing", "the secret that both know"])
def test_a_token_that_the_provider_did_not_sign_is_refused(
    open_console: Open, provider: IdentityProvider, signed: str
) -> None:
    console = open_console()
    provider.signs_with = signed

    assert _come(console, provider) == "403"


def test_an_answer_that_nobody_asked_for_is_refused(
    open_console: Open, provider: IdentityProvider
) -> None:
    console, other = open_console(), open_console()
    theirs = provider.sign(other.get("/sign-in/sso").headers["location"])

    assert console.get(theirs).status_code == 403
    console.get("/sign-in/sso")
    assert console.get(theirs).status_code == 403
    assert console.get("/sign-in/sso/callback?error=access_denied").status_code == 403
    assert console.get("/sign-in/sso/callback").status_code == 403


def test_an_answer_works_once(open_console: Open, provider: IdentityProvider) -> None:
    console = open_console()
    back = provider.sign(console.get("/sign-in/sso").headers["location"])

    assert console.get(back).status_code == 303
    assert console.get(back).status_code == 403


def test_a_provider_that_calls_itself_something_else_is_not_used(
    open_console: Open, provider: IdentityProvider
) -> None:
    provider.wrong = {"issuer": "https://evil.example"}

    assert open_console().get("/sign-in/sso").status_code == 503


def test_only_ones_own_domains_come_in(open_console: Open, provider: IdentityProvider) -> None:
    assert _come(open_console(domains="example.com"), provider) == "403"
    # Of ones own domain an address needs no word that it is verified.
    del provider.claims["email_verified"]
    assert _come(open_console(domains="example.com, example.org"), provider) == "/queue"


def test_the_role_follows_the_groups(
    open_console: Open, provider: IdentityProvider, sessions: sessionmaker[Session]
) -> None:
    console = open_console(role_claim="groups", roles="pr=pr_lead,desk=community_manager")
    seen = []
    for groups in (["desk", "pr", "chess"], "desk", []):
        provider.claims["groups"] = groups
        assert _come(console, provider) == "/queue"
        seen.append(console.get("/api/v1/me").json()["role"])

    assert seen == ["pr_lead", "community_manager", "viewer"]
    provider.claims |= {"sub": "u-9", "email": email_of(Role.ADMIN)}
    assert _come(console, provider) == "/queue"
    assert console.get("/api/v1/me").json()["role"] == "admin"  # the last one stays


def test_who_is_switched_off_stays_out(
    open_console: Open, provider: IdentityProvider, sessions: sessionmaker[Session]
) -> None:
    console = open_console()
    assert _come(console, provider) == "/queue"
    with sessions.begin() as session:
        user = session.scalars(select(User).where(User.subject.is_not(None))).one()
        user.is_active = False

    assert _come(console, provider) == "403"
    assert console.get("/api/v1/me").status_code == 401


def test_passwords_may_be_switched_off(open_console: Open) -> None:
    form = {"email": email_of(Role.VIEWER), "password": PASSWORD}

    assert open_console().post("/sign-in", data=form).status_code == 303
    console = open_console(passwords="false")
    assert console.post("/sign-in", data=form).status_code == 403
    assert 'type="password"' not in console.get("/sign-in").text


def test_an_account_without_a_password_has_none(
    open_console: Open, provider: IdentityProvider
) -> None:
    console = open_console()
    _come(console, provider)
    assert 'name="current"' not in console.get("/account").text
    console.post("/sign-out")

    for password in ("", "a guess"):
        form = {"email": "ana@example.org", "password": password}
        assert console.post("/sign-in", data=form).status_code in {401, 422}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"issuer": "http://id.example.org", "client_id": "x"}, "SSO_ISSUER"),
        ({"issuer": "https://id.example.org"}, "SSO_CLIENT_ID"),
        (
            {"issuer": "https://id.example.org", "client_id": "x", "roles": "pr=boss"},
            "SSO_ROLES",
        ),
    ],
)
def test_wrong_settings_say_which_one(settings: dict[str, str], names: str) -> None:
    with pytest.raises(InputError, match=names):
        SingleSignOn(SsoSettings(**settings))  # type: ignore[arg-type]


def test_without_a_provider_there_is_no_single_sign_on(client: TestClient) -> None:
    assert client.get("/sign-in/sso").status_code == 404
    assert "/sign-in/sso" not in client.get("/sign-in").text
