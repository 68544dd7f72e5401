"""What mentions are narrowed down by and counted by, in the indexes that they are walked by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_NEGATIVE = sa.text("label = 'negative'")


def upgrade() -> None:
    _replace(
        [
            *("brand_id", "published_at", "id", "label", "topic", "platform", "lang", "priority"),
            *("folded_into_id", "deleted_at", "source_id", "author_id"),
        ],
        [
            *("brand_id", "published_at", "topic", "folded_into_id", "deleted_at", "platform"),
            "author_id",
        ],
    )


def downgrade() -> None:
    _replace(["brand_id", "published_at", "id"], ["brand_id", "published_at"])


def _replace(all_of: list[str], negative: list[str]) -> None:
    for name in ("ix_mention_brand_published", "ix_mention_negative"):
        op.drop_index(name, table_name="mention")
    op.create_index("ix_mention_brand_published", "mention", all_of)
    op.create_index(
        "ix_mention_negative",
        "mention",
        negative,
        sqlite_where=_NEGATIVE,
        postgresql_where=_NEGATIVE,
    )
