"""The application over a scene, and people who are signed in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from api import users
from api.app import create_app
from api.models import Role
from api.users import DEMO_EMAIL
from config.db import make_engine, make_sessions
from config.settings import Settings
from tests.api.build import PASSWORD, QUICK_HASHER
from tests.api.scene import Scene, make_scene
from tests.databases import PostgresServer, PostgresTemplate, SqliteTemplate, Template

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ORIGIN = "http://testserver"

SignIn = Callable[[Role], TestClient]


class MovableClock:
    """A present that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the cost out of passwords, a third of a second of processor time for a sign-in."""
    monkeypatch.setattr(users, "_hasher", QUICK_HASHER)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def sqlite_scene(
    sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Template, Scene]:
    """Give a database with the scene in it, and the scene."""
    folder = tmp_path_factory.mktemp("scene")
    with sqlite_template.copied(folder) as url:
        scene = _written(url)
    return SqliteTemplate(folder / "test.db"), scene


@pytest.fixture(scope="session")
def postgres_scene(
    postgres: PostgresServer, postgres_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Template, Scene]]:
    """Give a database with the scene in it, and the scene."""
    with postgres_template.copied(tmp_path_factory.mktemp("scene")) as url:
        scene = _written(url)
        yield PostgresTemplate(postgres, str(make_url(url).database)), scene


def _written(url: str) -> Scene:
    engine = make_engine(url)
    scene = make_scene(make_sessions(engine), MovableClock())
    engine.dispose()
    return scene


@pytest.fixture(params=["sqlite", "postgres"])
def template(request: pytest.FixtureRequest) -> Template:
    """Give a database with the scene in it to tests that have one: writing it takes a second."""
    made: tuple[Template, Scene] | Template = request.getfixturevalue(
        f"{request.param}_scene" if "scene" in request.fixturenames else f"{request.param}_template"
    )
    return made[0] if isinstance(made, tuple) else made


@pytest.fixture
def scene(request: pytest.FixtureRequest, engine: Engine) -> Scene:
    """Give the ids of the scene that is in the test's database."""
    kind = "sqlite" if engine.dialect.name == "sqlite" else "postgres"
    found: Scene = request.getfixturevalue(f"{kind}_scene")[1]
    return found


@pytest.fixture
def settings() -> Settings:
    return Settings(secret_key=SecretStr("made up, and long enough for a session"))


@pytest.fixture
def app(settings: Settings, sessions: sessionmaker[Session], clock: MovableClock) -> FastAPI:
    app = create_app(settings, sessions, clock=clock)
    # A test client waits for the end of an answer, and live streams end with the server only.
    app.state.groundswell.live.close()
    return app


def email_of(role: Role) -> str:
    return DEMO_EMAIL if role is Role.ADMIN else f"{role}@example.org"


@pytest.fixture
def open_client(app: FastAPI) -> Iterator[Callable[[], TestClient]]:
    """Give clients that send what a browser sends from the console's own pages."""
    with ExitStack() as stack:

        def make() -> TestClient:
            client = TestClient(
                app, headers={"Origin": ORIGIN}, follow_redirects=False, base_url=ORIGIN
            )
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(open_client: Callable[[], TestClient], scene: Scene) -> TestClient:
    """Give a client that nobody has signed in with."""
    assert scene.users
    return open_client()


@pytest.fixture
def sign_in(open_client: Callable[[], TestClient], scene: Scene) -> SignIn:
    """Give a function that returns a client of somebody with a role."""
    assert scene.users

    def enter(role: Role) -> TestClient:
        client = open_client()
        form = {"email": email_of(role), "password": PASSWORD}
        assert client.post("/sign-in", data=form).status_code == 303
        return client

    return enter


def all_items(client: TestClient, path: str, **params: str | int) -> list[dict[str, object]]:
    """Follow the cursors of a list to its end."""
    found: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(path, params=params | {"cursor": cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return found
