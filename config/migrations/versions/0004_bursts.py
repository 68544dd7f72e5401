"""The states of the burst detectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "burst_state",
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("config", sa.String(length=20), nullable=False),
        sa.Column("stepped_to", UTCDateTime(), nullable=False),
        sa.Column("burst_index", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("expected", sa.Double(), nullable=False),
        sa.Column("window_s", BigKey, nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.Column("coming", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_burst_state_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("brand_id", "topic", "kind", "config", name=op.f("pk_burst_state")),
    )
    with op.batch_alter_table("burst_state", schema=None) as batch_op:
        batch_op.create_index(
            "ix_burst_state_high",
            ["brand_id"],
            unique=False,
            sqlite_where=sa.text("burst_index >= 0.5"),
            postgresql_where=sa.text("burst_index >= 0.5"),
        )


def downgrade() -> None:
    op.drop_table("burst_state")
