"""Signals of mentions, and the topics that are known again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mention_signal",
        sa.Column("mention_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("scorer", sa.String(length=100), nullable=True),
        sa.Column("p_emotion", _JSON, nullable=False),
        sa.Column("irony", sa.Double(), nullable=True),
        sa.Column("offensive", sa.Double(), nullable=True),
        sa.Column("emotion", sa.String(length=20), nullable=True),
        sa.Column("rules", sa.String(length=40), nullable=True),
        sa.Column("intents", sa.String(length=120), nullable=False),
        sa.Column("complaint_reason", sa.String(length=40), nullable=True),
        sa.Column("spam", sa.Double(), nullable=True),
        sa.Column("bot", sa.Double(), nullable=True),
        sa.Column("spam_reasons", _JSON, nullable=False),
        sa.Column("bot_reasons", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_mention_signal_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_mention_signal")),
    )
    with op.batch_alter_table("mention_signal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mention_signal_window", ["brand_id", "published_at", "emotion"], unique=False
        )
        batch_op.create_index(
            "ix_mention_signal_due",
            ["mention_id"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_mention_signal_rules", ["rules"], unique=False)
    op.create_table(
        "topic",
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("words", _JSON, nullable=False),
        sa.Column("first_seen_at", UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_topic_brand_id_brand")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_topic")),
    )
    # What is there already gets its signals from the backlog, as if it had just been judged.
    op.execute(
        "INSERT INTO mention_signal (mention_id, brand_id, published_at, due_at, p_emotion, "
        "intents, spam_reasons, bot_reasons) "
        "SELECT id, brand_id, published_at, fetched_at, '{}', '', '[]', '[]' FROM mention "
        "WHERE label IS NOT NULL AND deleted_at IS NULL"
    )


def downgrade() -> None:
    op.drop_table("topic")
    op.drop_table("mention_signal")
