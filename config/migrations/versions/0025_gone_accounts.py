"""Accounts that their platform shows no more, and links that only a person confirms again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("author", sa.Column("gone_reason", sa.String(length=20), nullable=True))
    op.add_column(
        "identity_link",
        sa.Column("was_withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("identity_link", "was_withdrawn")
    op.drop_column("author", "gone_reason")
