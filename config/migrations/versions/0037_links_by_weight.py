"""The review of links is walked from the likeliest on in an index."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_identity_link_weight", "identity_link", ["state", "weight_bits", "id"])


def downgrade() -> None:
    op.drop_index("ix_identity_link_weight", table_name="identity_link")
