"""Fixtures that all tests share: both databases, and where the shared recordings are.

Tests that use the fixture `sessions` run once on SQLite and once on PostgreSQL. The
PostgreSQL runs are skipped, visibly, where GROUNDSWELL_TEST_POSTGRES_URL is not set.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from config.db import make_engine, make_sessions
from config.migrate import upgrade

# A test process of several is given the width of their terminal, which would be every command's.
os.environ.pop("COLUMNS", None)

POSTGRES_URL = os.environ.get("GROUNDSWELL_TEST_POSTGRES_URL", "")
SHARED = Path(os.environ.get("GROUNDSWELL_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def _admin_engine() -> Engine:
    url = make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
    return create_engine(url, isolation_level="AUTOCOMMIT")


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
def _postgres_template() -> Iterator[str]:
    """Make one migrated database that each test's own one is copied from."""
    name = f"groundswell_template_{uuid.uuid4().hex[:12]}"
    admin = _admin_engine()
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine = make_engine(
        make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    )
    upgrade(engine)
    engine.dispose()
    yield name
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make one migrated file that each test's own one is copied from."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return path.read_bytes()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a migrated, empty database of this test's own."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        path.write_bytes(request.getfixturevalue("_sqlite_template"))
        yield f"sqlite:///{path}"
        return
    if not POSTGRES_URL:
        pytest.skip("GROUNDSWELL_TEST_POSTGRES_URL is not set")
    template = request.getfixturevalue("_postgres_template")
    name = f"groundswell_test_{uuid.uuid4().hex[:12]}"
    admin = _admin_engine()
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


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
