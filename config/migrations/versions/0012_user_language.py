"""The language and the time zone that a user reads in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "user_account",
        sa.Column("language", sa.String(length=10), server_default="", nullable=False),
    )
    op.add_column(
        "user_account", sa.Column("zone", sa.String(length=60), server_default="", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("user_account", "zone")
    op.drop_column("user_account", "language")
