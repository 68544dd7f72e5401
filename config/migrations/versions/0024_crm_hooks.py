"""Webhooks from CRMs: what came already, which contacts to look at again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import UTCDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_hook_seen",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_crm_hook_seen")),
    )
    op.create_index("ix_crm_hook_seen_at", "crm_hook_seen", ["at"])
    op.create_table(
        "crm_recheck",
        sa.Column("crm", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("heard_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("crm", "external_id", name=op.f("pk_crm_recheck")),
    )


def downgrade() -> None:
    op.drop_table("crm_recheck")
    op.drop_index("ix_crm_hook_seen_at", table_name="crm_hook_seen")
    op.drop_table("crm_hook_seen")
