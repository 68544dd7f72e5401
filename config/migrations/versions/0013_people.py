"""Contacts are found by words of their name, addresses and accounts; tiers are listed."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: What people type, in the order of the index.
_SEARCHED = ("name", "emails", "phones", "handles")

#: Signs that part words, the same on both databases: `x:ines_o` is found by `ines`.
_SIGNS = "@._:-+/()[]\",'"

_ADD = (
    "INSERT INTO contact_search(rowid, name, emails, phones, handles) "
    "VALUES (new.id, new.name, new.emails, new.phones, new.handles);"
)
_TAKE = (
    "INSERT INTO contact_search(contact_search, rowid, name, emails, phones, handles) "
    "VALUES ('delete', old.id, old.name, old.emails, old.phones, old.handles);"
)


def upgrade() -> None:
    op.create_index(
        "ix_contact_tier",
        "contact",
        ["tier", "id"],
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    if op.get_bind().dialect.name == "postgresql":
        signs = _SIGNS.replace("'", "''")
        whole = " || ' ' || ".join(f"{name}::text" for name in _SEARCHED)
        op.execute(
            "ALTER TABLE contact ADD COLUMN search tsvector GENERATED ALWAYS AS "
            f"(to_tsvector('simple', translate({whole}, '{signs}', repeat(' ', {len(_SIGNS)})))) "
            "STORED"
        )
        op.execute("CREATE INDEX ix_contact_search ON contact USING gin (search)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE contact_search USING fts5(name, emails, phones, handles, "
        "content='contact', content_rowid='id', tokenize='unicode61 remove_diacritics 2', "
        "prefix='2 3')"
    )
    if sqlite3.sqlite_version_info >= (3, 42):
        # What is taken out leaves no trace in the index's pages: people may be erased.
        op.execute("INSERT INTO contact_search(contact_search, rank) VALUES ('secure-delete', 1)")
    op.execute("INSERT INTO contact_search(contact_search) VALUES ('rebuild')")
    op.execute(f"CREATE TRIGGER contact_search_insert AFTER INSERT ON contact BEGIN {_ADD} END")
    op.execute(f"CREATE TRIGGER contact_search_delete AFTER DELETE ON contact BEGIN {_TAKE} END")
    op.execute(
        "CREATE TRIGGER contact_search_update AFTER UPDATE OF name, emails, phones, handles "
        f"ON contact BEGIN {_TAKE} {_ADD} END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_contact_search")
        op.execute("ALTER TABLE contact DROP COLUMN search")
    else:
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER contact_search_{name}")
        op.execute("DROP TABLE contact_search")
    op.drop_index("ix_contact_tier", table_name="contact")
