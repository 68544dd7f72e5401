"""PostgreSQL finds whose a flagged mention is without reading its text.

SQLite keeps its rows by their ids and reads the first columns only: it needs none.
"""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_mention_id_author", "mention", ["id"], postgresql_include=["author_id"])


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("ix_mention_id_author", table_name="mention")
