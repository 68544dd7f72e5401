"""Replies that are posted through the API: the outbox, and what was done to each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_LIVE = sa.text("state IN ('waiting', 'sent_back', 'approved', 'sending', 'in_doubt', 'failed')")
_DUE = sa.text("state IN ('approved', 'sending', 'in_doubt')")


def upgrade() -> None:
    op.create_table(
        "reply",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("faq_id", sa.String(length=100), nullable=True),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("version", BigKey, nullable=False),
        sa.Column("written_by", sa.String(length=320), nullable=False),
        sa.Column("writers", _JSON, nullable=False),
        sa.Column("written_at", UTCDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=320), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("attempts", BigKey, nullable=False),
        sa.Column("looks", BigKey, nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("refusal", sa.String(length=40), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("posted_id", sa.String(length=200), nullable=True),
        sa.Column("posted_url", sa.Text(), nullable=True),
        sa.Column("posted_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_reply_brand_id_brand")),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_reply_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    for name, columns, where, is_unique in (
        ("uq_reply_live", ["mention_id"], _LIVE, True),
        ("ix_reply_due", ["next_attempt_at"], _DUE, False),
        ("ix_reply_open", ["state", "id"], _LIVE, False),
    ):
        op.create_index(
            name, "reply", columns, unique=is_unique, sqlite_where=where, postgresql_where=where
        )
    op.create_index("ix_reply_mention", "reply", ["mention_id", "id"])
    op.create_index("ix_reply_posted", "reply", ["posted_id", "platform"])
    op.create_table(
        "reply_event",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("reply_id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("version", BigKey, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_reply_event_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reply_id"],
            ["reply.id"],
            name=op.f("fk_reply_event_reply_id_reply"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_event")),
    )
    op.create_index("ix_reply_event_reply", "reply_event", ["reply_id", "id"])
    op.create_index("ix_reply_event_mention", "reply_event", ["mention_id"])


def downgrade() -> None:
    op.drop_table("reply_event")
    op.drop_table("reply")
