"""The review queue as work: clocks, owners, snoozing, events, views, presence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

#: Minutes until a first answer is due where a flag was there before, and its rank.
_OLD = {"risk": (30, 0), "purchase": (120, 2), "cancel": (60, 4), "service": (240, 6)}
_OTHER = (1440, 8)

#: Until the flags that are there have their own.
_BEGIN = "1970-01-01 00:00:00+00:00"

_OPEN = "status = 'open'"


def upgrade() -> None:
    op.drop_index("ix_flag_queue", table_name="flag")
    op.drop_index("ix_flag_queue_all", table_name="flag")
    for column in (
        sa.Column("rank", BigKey, server_default="0", nullable=False),
        sa.Column("due_at", UTCDateTime(), server_default=sa.text(f"'{_BEGIN}'"), nullable=False),
        sa.Column("assignee", sa.String(length=320), nullable=True),
        sa.Column("snoozed_until", UTCDateTime(), nullable=True),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=320), nullable=True),
        sa.Column("version", BigKey, server_default="1", nullable=False),
    ):
        op.add_column("flag", column)
    _fill()
    if op.get_bind().dialect.name != "sqlite":
        # SQLite keeps the defaults: it would have to write the table anew.
        op.alter_column("flag", "rank", server_default=None)
        op.alter_column("flag", "due_at", server_default=None)
    for name, columns, more in (
        ("ix_flag_queue", ["brand_id"], ""),
        ("ix_flag_queue_all", [], ""),
        ("ix_flag_priority", ["priority"], ""),
        ("ix_flag_assignee", ["assignee"], " AND assignee IS NOT NULL"),
    ):
        where = sa.text(_OPEN + more)
        op.create_index(
            name,
            "flag",
            [*columns, "due_at", "rank", "mention_id"],
            sqlite_where=where,
            postgresql_where=where,
        )
    _create_tables()


def downgrade() -> None:
    for name in ("queue_presence", "queue_view", "mention_priority", "flag_event"):
        op.drop_table(name)
    for name in ("ix_flag_queue", "ix_flag_queue_all", "ix_flag_priority", "ix_flag_assignee"):
        op.drop_index(name, table_name="flag")
    for name in (
        "rank",
        "due_at",
        "assignee",
        "snoozed_until",
        "answered_at",
        "answered_by",
        "version",
    ):
        op.drop_column("flag", name)
    for name, columns in (("ix_flag_queue", ["brand_id"]), ("ix_flag_queue_all", [])):
        op.create_index(
            name,
            "flag",
            [*columns, "urgency", "published_at", "mention_id"],
            sqlite_where=sa.text(_OPEN),
            postgresql_where=sa.text(_OPEN),
        )


def _fill() -> None:
    """Give the flags that are there a clock from when they came into the queue."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for priority, (minutes, rank) in (_OLD | {"other": _OTHER}).items():
        due = (
            f"strftime('%Y-%m-%d %H:%M:00.000000', created_at, '+{minutes} minutes')"
            if is_sqlite
            else f"date_trunc('minute', created_at) + interval '{minutes} minutes'"
        )
        op.execute(
            f"UPDATE flag SET due_at = {due}, "  # noqa: S608 - our own words
            f"rank = {rank} + CASE WHEN urgency % 10 = 5 THEN 0 ELSE 1 END "
            f"WHERE priority = '{priority}'"
        )


def _create_tables() -> None:
    op.create_table(
        "flag_event",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("after", _JSON, nullable=False),
        sa.Column("version", BigKey, nullable=False),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=320), nullable=True),
        _of_mention("flag_event"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_event")),
    )
    op.create_index("ix_flag_event_mention", "flag_event", ["mention_id", "id"])
    op.create_index("ix_flag_event_batch", "flag_event", ["batch"])
    op.create_table(
        "mention_priority",
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("priority", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        _of_mention("mention_priority"),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_mention_priority")),
    )
    op.create_table(
        "queue_view",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("owner", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("filters", _JSON, nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_queue_view_owner_name")),
    )
    op.create_index("ix_queue_view_shared", "queue_view", ["is_shared"])
    op.create_table(
        "queue_presence",
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_working", sa.Boolean(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        _of_mention("queue_presence"),
        sa.PrimaryKeyConstraint("mention_id", "who", name=op.f("pk_queue_presence")),
    )
    op.create_index("ix_queue_presence_seen", "queue_presence", ["seen_at"])


def _of_mention(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["mention_id"],
        ["mention.id"],
        name=op.f(f"fk_{table}_mention_id_mention"),
        ondelete="CASCADE",
    )
