"""What the queue is narrowed down by stands on the flag, in the indexes that it is walked by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_OPEN = sa.text("status = 'open'")
_ORDER = ("due_at", "rank", "mention_id")
_NARROWED = ("priority", "platform", "label", "lang", "assignee", "snoozed_until")


def upgrade() -> None:
    op.add_column("flag", sa.Column("platform", sa.String(40), server_default="", nullable=False))
    op.add_column("flag", sa.Column("label", sa.String(20), nullable=True))
    op.add_column("flag", sa.Column("lang", sa.String(20), nullable=True))
    op.execute(
        "UPDATE flag SET platform = mention.platform, label = mention.label, lang = mention.lang "
        "FROM mention WHERE mention.id = flag.mention_id"
    )
    for name in ("ix_flag_queue", "ix_flag_queue_all", "ix_flag_priority"):
        op.drop_index(name, table_name="flag")
    _index("ix_flag_queue", ["brand_id", *_ORDER, *_NARROWED])
    _index("ix_flag_queue_all", [*_ORDER, "brand_id", *_NARROWED])
    _follow()


def downgrade() -> None:
    op.execute("DROP TRIGGER flag_follows_mention" + _on_mention())
    if _on_mention():
        op.execute("DROP FUNCTION flag_follows_mention")
    for name in ("ix_flag_queue", "ix_flag_queue_all"):
        op.drop_index(name, table_name="flag")
    for name in ("platform", "label", "lang"):
        op.drop_column("flag", name)
    _index("ix_flag_queue", ["brand_id", *_ORDER])
    _index("ix_flag_queue_all", [*_ORDER])
    _index("ix_flag_priority", ["priority", *_ORDER])


def _follow() -> None:
    """Let the flag say what its mention says, whoever changes the judgement."""
    if not _on_mention():
        op.execute(
            "CREATE TRIGGER flag_follows_mention AFTER UPDATE OF label, lang ON mention "
            "WHEN old.label IS NOT new.label OR old.lang IS NOT new.lang BEGIN "
            "UPDATE flag SET label = new.label, lang = new.lang WHERE mention_id = new.id; END"
        )
        return
    op.execute(
        "CREATE FUNCTION flag_follows_mention() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE flag SET label = new.label, lang = new.lang WHERE mention_id = new.id; "
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER flag_follows_mention AFTER UPDATE OF label, lang ON mention FOR EACH ROW "
        "WHEN (old.label IS DISTINCT FROM new.label OR old.lang IS DISTINCT FROM new.lang) "
        "EXECUTE FUNCTION flag_follows_mention()"
    )


def _on_mention() -> str:
    """Return where PostgreSQL finds a trigger; SQLite knows them by name alone."""
    return " ON mention" if op.get_bind().dialect.name == "postgresql" else ""


def _index(name: str, columns: list[str]) -> None:
    op.create_index(name, "flag", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
