"""Files of reports that are made in the background: what was asked for, and the file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_UNDONE = sa.text("state IN ('queued', 'making')")


def upgrade() -> None:
    op.create_table(
        "report_file",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=True),
        sa.Column("until_at", UTCDateTime(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("with_people", sa.Boolean(), nullable=False),
        sa.Column("seen_brands", sa.Text(), nullable=True),
        sa.Column("asked_by_id", BigKey, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", BigKey, server_default="0", nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_report_file_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_report_file_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_file")),
    )
    op.create_index(
        "ix_report_file_due",
        "report_file",
        ["next_attempt_at"],
        sqlite_where=_UNDONE,
        postgresql_where=_UNDONE,
    )


def downgrade() -> None:
    op.drop_index("ix_report_file_due", table_name="report_file")
    op.drop_table("report_file")
