"""Corrections, calibrations by brand, old scores, and the indexes that rescoring needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("mention_version", BigKey, nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.Column("model_label", sa.String(length=20), nullable=True),
        sa.Column("model_score", sa.Double(), nullable=True),
        sa.Column("model_p_negative", sa.Double(), nullable=True),
        sa.Column("model_p_neutral", sa.Double(), nullable=True),
        sa.Column("model_p_positive", sa.Double(), nullable=True),
        sa.Column("model_confidence", sa.Double(), nullable=True),
        sa.Column("model_scorer", sa.String(length=100), nullable=True),
        sa.Column("model_scored_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_correction_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index("ix_correction_mention", ["mention_id"], unique=False)
        batch_op.create_index(
            "uq_correction_open",
            ["mention_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "old_score",
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("scorer", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("p_negative", sa.Double(), nullable=True),
        sa.Column("p_neutral", sa.Double(), nullable=True),
        sa.Column("p_positive", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("scored_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_old_score_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mention_id", "scorer", name=op.f("pk_old_score")),
    )

    op.create_table(
        "brand_calibration",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("scorer", sa.String(length=100), nullable=False),
        sa.Column("version", BigKey, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("parameters", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("corrections", BigKey, nullable=False),
        sa.Column("log_loss_before", sa.Double(), nullable=False),
        sa.Column("log_loss_after", sa.Double(), nullable=False),
        sa.Column("ece_before", sa.Double(), nullable=False),
        sa.Column("ece_after", sa.Double(), nullable=False),
        sa.Column("fitted_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_brand_calibration_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand_calibration")),
        sa.UniqueConstraint(
            "brand_id",
            "scorer",
            "version",
            name=op.f("uq_brand_calibration_brand_id_scorer_version"),
        ),
    )

    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mention_scorer", ["brand_id", "scorer", "published_at"], unique=False
        )
        batch_op.create_index(
            "ix_mention_unlabelled",
            ["id"],
            unique=False,
            sqlite_where=sa.text("label IS NULL AND pending IS NOT NULL"),
            postgresql_where=sa.text("label IS NULL AND pending IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.drop_index("ix_mention_unlabelled")
        batch_op.drop_index("ix_mention_scorer")
    op.drop_table("brand_calibration")
    op.drop_table("old_score")
    op.drop_table("correction")
