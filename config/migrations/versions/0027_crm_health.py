"""How the calls to each CRM go; dead letters are found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_DEAD = sa.text("status = 'dead'")


def upgrade() -> None:
    op.create_table(
        "crm_health",
        sa.Column("crm", sa.String(length=40), nullable=False),
        sa.Column("work", sa.String(length=20), nullable=False),
        sa.Column("failing_since", UTCDateTime(), nullable=True),
        sa.Column("failures", BigKey, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_success_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("crm", "work", name=op.f("pk_crm_health")),
    )
    op.create_index(
        "ix_write_back_dead",
        "write_back",
        ["crm", "next_attempt_at"],
        sqlite_where=_DEAD,
        postgresql_where=_DEAD,
    )


def downgrade() -> None:
    op.drop_index("ix_write_back_dead", table_name="write_back")
    op.drop_table("crm_health")
