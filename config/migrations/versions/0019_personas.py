"""Whom a brand wants to speak with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "persona",
        sa.Column("brand_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("languages", _JSON, nullable=False),
        sa.Column("places", _JSON, nullable=False),
        sa.Column("interests", _JSON, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_persona_brand_id_brand")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_persona")),
    )


def downgrade() -> None:
    op.drop_table("persona")
