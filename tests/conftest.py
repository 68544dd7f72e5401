"""Fixtures that all tests share: both databases, and where the shared recordings are.

Tests that use the fixture `sessions` run once on SQLite and once on PostgreSQL. The
PostgreSQL runs are skipped, visibly, where GROUNDSWELL_TEST_POSTGRES_URL is not set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from config.db import make_engine, make_sessions
from config.migrate import upgrade
from tests.databases import (
    POSTGRES_URL,
    PostgresServer,
    PostgresTemplate,
    SqliteTemplate,
    Template,
    address,
)

# A test process of several is given the width of their terminal, which would be every command's.
os.environ.pop("COLUMNS", None)

# Commands that tests start keep what they compile: each would compile the whole program again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARED = Path(os.environ.get("GROUNDSWELL_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own settings out of the tests."""
    for name in list(os.environ):
        if name.startswith("GROUNDSWELL_") and not name.startswith(
            ("GROUNDSWELL_TEST_", "GROUNDSWELL_SHARED")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def _fresh_logs() -> Iterator[None]:
    """Take back a command's logging: it writes to an output that is closed after the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give the PostgreSQL server of the tests, or skip."""
    if not POSTGRES_URL:
        pytest.skip("GROUNDSWELL_TEST_POSTGRES_URL is not set")
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[Template]:
    """Give a migrated, empty database."""
    name = postgres.create()
    engine = make_engine(address(name))
    upgrade(engine)
    engine.dispose()
    yield PostgresTemplate(postgres, name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a migrated, empty database."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return SqliteTemplate(path)


@pytest.fixture(params=["sqlite", "postgres"])
def template(request: pytest.FixtureRequest) -> Template:
    """Give what a test's database is a copy of: once on each kind of database."""
    found: Template = request.getfixturevalue(f"{request.param}_template")
    return found


@pytest.fixture
def database_url(template: Template, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database of this test's own."""
    with template.copied(tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine on the test's database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Give the session factory that services take."""
    return make_sessions(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Give a session that is rolled back at the end."""
    with sessions() as session:
        yield session
        session.rollback()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of recordings and labelled data, or skip."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared recordings are not at {SHARED} (GROUNDSWELL_SHARED)")
    return SHARED
