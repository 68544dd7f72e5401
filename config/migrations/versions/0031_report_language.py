"""The language, and for a mail the time zone, that a scheduled report is written in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("report_schedule", "report_mail"):
        op.add_column(
            table, sa.Column("language", sa.String(10), nullable=False, server_default="en")
        )
    op.add_column(
        "report_mail", sa.Column("zone", sa.String(60), nullable=False, server_default="UTC")
    )


def downgrade() -> None:
    with op.batch_alter_table("report_mail") as table:
        table.drop_column("zone")
    for name in ("report_mail", "report_schedule"):
        with op.batch_alter_table(name) as table:
            table.drop_column("language")
