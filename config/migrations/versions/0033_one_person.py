"""One person in several CRMs: which records are theirs, and what people said of two records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_contact_person": ("person_id", sa.text("person_id IS NOT NULL")),
    "ix_contact_person_due": ("person_due_at", sa.text("person_due_at IS NOT NULL")),
}


def upgrade() -> None:
    op.add_column("contact", sa.Column("person_id", BigKey))
    op.add_column("contact", sa.Column("person_due_at", UTCDateTime()))
    for name, (column, where) in _INDEXES.items():
        op.create_index(name, "contact", [column], sqlite_where=where, postgresql_where=where)
    # Who is in two CRMs already is found at the worker's next look.
    op.execute(
        "UPDATE contact SET person_due_at = first_seen_at"
        " WHERE deleted_at IS NULL AND (SELECT count(DISTINCT crm) FROM contact) > 1"
    )
    op.create_table(
        "record_verdict",
        sa.Column("id", BigKey, primary_key=True),
        sa.Column(
            "contact_id",
            BigKey,
            sa.ForeignKey("contact.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "other_id",
            BigKey,
            sa.ForeignKey("contact.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("contact_id", "other_id"),
        sa.CheckConstraint("contact_id < other_id", name="ordered"),
    )
    op.create_index("ix_record_verdict_other", "record_verdict", ["other_id"])


def downgrade() -> None:
    op.drop_table("record_verdict")
    for name in _INDEXES:
        op.drop_index(name, table_name="contact")
    op.drop_column("contact", "person_due_at")
    op.drop_column("contact", "person_id")
