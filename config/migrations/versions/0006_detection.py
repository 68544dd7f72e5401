"""The burst index by hour, and why an incident was raised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "burst_hour",
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("hour_at", UTCDateTime(), nullable=False),
        sa.Column("burst_index", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_burst_hour_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("brand_id", "hour_at", name=op.f("pk_burst_hour")),
    )
    op.create_table(
        "incident_why",
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
            name=op.f("fk_incident_why_incident_id_incident"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_why")),
    )


def downgrade() -> None:
    op.drop_table("incident_why")
    op.drop_table("burst_hour")
