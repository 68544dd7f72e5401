"""Alembic's entry: runs the migrations on the connection that `config.migrate` gives."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from config.db import Base, UTCDateTime

#: Tables and columns that migrations make by hand, because the models cannot say them:
#: full-text search differs between SQLite (FTS5) and PostgreSQL (tsvector).
BY_HAND = ("mention_search", "contact_search", "search")


def include_name(name: str | None, kind: str, parents: Any) -> bool:  # noqa: ANN401 - Alembic's own type
    """Leave out what the models do not describe."""
    del parents
    return not (kind in {"table", "column", "index"} and name and _by_hand(name))


def _by_hand(name: str) -> bool:
    made = (
        "mention_search_",
        "contact_search_",
        "ix_mention_search",
        "ix_contact_search",
        "stage_",
    )
    return name in BY_HAND or name.startswith(made)


def render_item(kind: str, item: object, autogen: Any) -> str | Literal[False]:  # noqa: ANN401 - Alembic's own type
    """Write our own column types as a reader would."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from config.db import UTCDateTime")
        return "UTCDateTime()"
    if kind == "type" and isinstance(item, JSON):
        autogen.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=include_name,
    render_as_batch=True,
    render_item=render_item,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
