"""The board's sums by hour: languages, emotions, intents, sources, places, who reaches most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COUNTS = ("mentions", "negative", "neutral", "positive")


def _bucket(*columns: sa.Column[object]) -> list[sa.Column[object]]:
    return [
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("grain_s", BigKey, autoincrement=False, nullable=False),
        sa.Column("bucket_at", UTCDateTime(), nullable=False),
        *columns,
    ]


def _numbers(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, BigKey, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "due_hour",
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("hour_at", UTCDateTime(), nullable=False),
        sa.Column("marked_at", UTCDateTime(), nullable=False),
        *_numbers("marks"),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_due_hour_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("brand_id", "hour_at", name=op.f("pk_due_hour")),
    )
    op.create_index("ix_due_hour_marked", "due_hour", ["marked_at"])
    op.create_table(
        "facet",
        *_bucket(
            sa.Column("kind", sa.String(length=20), nullable=False),
            sa.Column("value", sa.String(length=100), nullable=False),
        ),
        *_numbers(*_COUNTS, "unsure"),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_facet_brand_id_brand")),
        sa.PrimaryKeyConstraint(
            "brand_id", "grain_s", "bucket_at", "kind", "value", name=op.f("pk_facet")
        ),
    )
    op.create_table(
        "place",
        *_bucket(sa.Column("country", sa.String(length=2), nullable=False)),
        *_numbers(*_COUNTS, "people"),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_place_brand_id_brand")),
        sa.PrimaryKeyConstraint(
            "brand_id", "grain_s", "bucket_at", "country", name=op.f("pk_place")
        ),
    )
    op.create_table(
        "influence",
        *_bucket(sa.Column("author_id", BigKey, nullable=False)),
        *_numbers("followers", "mentions", "negative", "positive"),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["author.id"],
            name=op.f("fk_influence_author_id_author"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_influence_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint(
            "brand_id", "grain_s", "bucket_at", "author_id", name=op.f("pk_influence")
        ),
    )
    op.create_index("ix_influence_author", "influence", ["author_id"])
    op.create_table(
        "topic_board",
        sa.Column("brand_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("found_at", UTCDateTime(), nullable=False),
        sa.Column("found", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "period", name=op.f("pk_topic_board")),
    )
    # What is there already is summed once.
    op.execute(
        "INSERT INTO due_hour (brand_id, hour_at, marked_at, marks) "
        "SELECT DISTINCT brand_id, bucket_at, bucket_at, 1 FROM volume WHERE grain_s = 3600"
    )


def downgrade() -> None:
    for table in ("topic_board", "influence", "place", "facet", "due_hour"):
        op.drop_table(table)
