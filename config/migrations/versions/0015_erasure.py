"""Erasures of persons, and the hashes of what is not stored again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_IS_OPEN = sa.text("state <> 'done'")


def upgrade() -> None:
    op.create_table(
        "suppression",
        sa.Column("value_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("value_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "erasure_request",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("plan", _JSON, nullable=False),
        sa.Column("receipts", _JSON, nullable=False),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_request")),
    )
    op.create_index(op.f("ix_erasure_request_subject_hash"), "erasure_request", ["subject_hash"])
    op.create_index(
        "ix_erasure_request_open",
        "erasure_request",
        ["id"],
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_erasure_request_open", table_name="erasure_request")
    op.drop_index(op.f("ix_erasure_request_subject_hash"), table_name="erasure_request")
    op.drop_table("erasure_request")
    op.drop_table("suppression")
