"""Drills: brands' copies for them, what they came to; reviews of incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("brand", schema=None) as batch_op:
        batch_op.add_column(sa.Column("drill_of_id", BigKey, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_brand_drill_of_id_brand"), "brand", ["drill_of_id"], ["id"]
        )
    op.create_table(
        "drill",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("scenario", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("fed", BigKey, server_default="0", nullable=False),
        sa.Column("script", _JSON, nullable=False),
        sa.Column("score", BigKey, nullable=True),
        sa.Column("result", _JSON, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_drill_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
    )
    with op.batch_alter_table("drill", schema=None) as batch_op:
        batch_op.create_index("ix_drill_brand_started", ["brand_id", "started_at"], unique=False)
        batch_op.create_index(
            "uq_drill_running",
            ["brand_id"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
    op.create_table(
        "incident_review",
        sa.Column("incident_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("fields", _JSON, nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_review_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_review")),
    )


def downgrade() -> None:
    op.drop_table("incident_review")
    op.drop_table("drill")
    with op.batch_alter_table("brand", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_brand_drill_of_id_brand"), type_="foreignkey")
        batch_op.drop_column("drill_of_id")
