"""The journal of what was written into CRM records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "crm_journal",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("crm", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("after", _JSON, nullable=False),
        sa.Column("kept", _JSON, nullable=False),
        sa.Column("is_undo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_journal")),
    )
    op.create_index("ix_crm_journal_record", "crm_journal", ["crm", "external_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_crm_journal_record", table_name="crm_journal")
    op.drop_table("crm_journal")
