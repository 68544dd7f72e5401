"""Figures of people are counted in advance: windows, and the people of their lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "figure_window",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("marks", BigKey, nullable=False),
        sa.Column("counted_at", UTCDateTime(), nullable=True),
        sa.Column("took_s", sa.Double(), nullable=False),
        sa.Column("sums", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_figure_window_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_window")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_figure_window_brand_id_name")),
    )
    op.create_table(
        "figure_person",
        sa.Column("window_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("listing", sa.String(length=20), nullable=False),
        sa.Column("place", BigKey, autoincrement=False, nullable=False),
        sa.Column("author_id", BigKey, nullable=False),
        sa.Column("mentions", BigKey, nullable=True),
        sa.Column("mean", sa.Double(), nullable=True),
        sa.Column("engagement", BigKey, nullable=True),
        sa.Column("parts", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["window_id"],
            ["figure_window.id"],
            name=op.f("fk_figure_person_window_id_figure_window"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["author.id"],
            name=op.f("fk_figure_person_author_id_author"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("window_id", "listing", "place", name=op.f("pk_figure_person")),
    )
    op.create_index("ix_figure_person_author", "figure_person", ["author_id"])


def downgrade() -> None:
    op.drop_table("figure_person")
    op.drop_table("figure_window")
