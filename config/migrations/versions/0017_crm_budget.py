"""Budgets of calls to CRM accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "crm_budget",
        sa.Column("crm", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("size", BigKey, nullable=False),
        sa.Column("window_s", sa.Double(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("filled_at", UTCDateTime(), nullable=False),
        sa.Column("running", _JSON, nullable=False),
        sa.Column("said_left", BigKey, nullable=True),
        sa.Column("said_of", BigKey, nullable=True),
        sa.Column("said_at", UTCDateTime(), nullable=True),
        sa.Column("paused_until", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("crm", "name", name=op.f("pk_crm_budget")),
    )


def downgrade() -> None:
    op.drop_table("crm_budget")
