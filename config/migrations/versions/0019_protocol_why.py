"""Why a protocol was edited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("protocol_seen", sa.Column("why", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("protocol_seen", "why")
