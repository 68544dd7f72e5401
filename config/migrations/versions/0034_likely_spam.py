"""Likely spam is listed from an index: next to nothing is, and a list looked through all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_LIKELY = sa.text("spam >= 0.5 OR bot >= 0.5")


def upgrade() -> None:
    op.create_index(
        "ix_mention_signal_spam",
        "mention_signal",
        ["brand_id", "published_at"],
        sqlite_where=_LIKELY,
        postgresql_where=_LIKELY,
    )


def downgrade() -> None:
    op.drop_index("ix_mention_signal_spam", table_name="mention_signal")
