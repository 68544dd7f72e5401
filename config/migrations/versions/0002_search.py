"""Full-text search over mentions: FTS5 on SQLite, a stored tsvector on PostgreSQL."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # Stored, because otherwise ORDER BY id LIMIT recomputes to_tsvector per row
        # (measured at 1,000,000 rows: 165 ms against 2.2 ms).
        op.execute(
            "ALTER TABLE mention ADD COLUMN search tsvector "
            "GENERATED ALWAYS AS (to_tsvector('simple', left(text, 100000))) STORED"
        )
        op.execute("CREATE INDEX ix_mention_search ON mention USING gin (search)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE mention_search USING fts5("
        "text, content='mention', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
    )
    op.execute(
        "CREATE TRIGGER mention_search_insert AFTER INSERT ON mention BEGIN "
        "INSERT INTO mention_search(rowid, text) VALUES (new.id, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER mention_search_delete AFTER DELETE ON mention BEGIN "
        "INSERT INTO mention_search(mention_search, rowid, text) "
        "VALUES ('delete', old.id, old.text); END"
    )
    op.execute(
        "CREATE TRIGGER mention_search_update AFTER UPDATE OF text ON mention BEGIN "
        "INSERT INTO mention_search(mention_search, rowid, text) "
        "VALUES ('delete', old.id, old.text); "
        "INSERT INTO mention_search(rowid, text) VALUES (new.id, new.text); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_mention_search")
        op.execute("ALTER TABLE mention DROP COLUMN search")
        return
    for name in ("insert", "delete", "update"):
        op.execute(f"DROP TRIGGER mention_search_{name}")
    op.execute("DROP TABLE mention_search")
