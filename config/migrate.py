"""Bringing a database to the tables that this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from config.errors import ConflictError

#: Any number: the PostgreSQL advisory lock under which one process at a time migrates.
MIGRATION_LOCK = 715_190_117


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply all migrations up to `revision`; does nothing where they are applied already.

    Raises:
        ConflictError: The database was made by a newer version.

    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in _known_revisions():
            msg = (
                f"the database is at revision {found}, which this version does not know: "
                "install the newer Groundswell that made it"
            )
            raise ConflictError(msg)
        command.upgrade(_alembic(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take migrations back down to `revision` (`base` for all)."""
    with engine.begin() as connection:
        command.downgrade(_alembic(connection), revision)


def current_revision(engine: Engine) -> str | None:
    """Return the revision that the database is at, None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """Return the revision that this version of the code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _known_revisions() -> set[str]:
    scripts = ScriptDirectory.from_config(_config())
    return {script.revision for script in scripts.walk_revisions()}


def require_current(engine: Engine) -> None:
    """Make sure that the database has the tables of this version.

    Raises:
        ConflictError: It is older or newer; the message says what to do.

    """
    found, needed = current_revision(engine), head_revision()
    if found != needed:
        msg = (
            f"the database is at revision {found or 'none'}, this version needs {needed}: "
            "run `groundswell migrate`"
        )
        raise ConflictError(msg)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _alembic(connection: Connection) -> Config:
    config = _config()
    config.attributes["connection"] = connection
    return config
