"""Competitors: brands that are counted beside one of ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("brand") as batch_op:
        batch_op.add_column(sa.Column("competitor_of_id", BigKey, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_brand_competitor_of_id_brand"), "brand", ["competitor_of_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("brand") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_brand_competitor_of_id_brand"), type_="foreignkey")
        batch_op.drop_column("competitor_of_id")
