"""Reports by mail: schedules, and the outbox of what leaves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.db import BigKey, UTCDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_UNSENT = sa.text("status IN ('pending', 'sending')")


def upgrade() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("weekday", BigKey, nullable=False),
        sa.Column("hour", BigKey, nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("recipients", _JSON, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("next_due_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_report_schedule_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_schedule")),
    )
    op.create_index("ix_report_schedule_due", "report_schedule", ["is_active", "next_due_at"])
    op.create_table(
        "report_mail",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("schedule_id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("idempotency_key", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("until_at", UTCDateTime(), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("attempts", BigKey, server_default="0", nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_report_mail_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["report_schedule.id"],
            name=op.f("fk_report_mail_schedule_id_report_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_mail")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_report_mail_idempotency_key")),
    )
    op.create_index("ix_report_mail_schedule", "report_mail", ["schedule_id", "id"])
    op.create_index(
        "ix_report_mail_due",
        "report_mail",
        ["next_attempt_at"],
        sqlite_where=_UNSENT,
        postgresql_where=_UNSENT,
    )


def downgrade() -> None:
    op.drop_index("ix_report_mail_due", table_name="report_mail")
    op.drop_index("ix_report_mail_schedule", table_name="report_mail")
    op.drop_table("report_mail")
    op.drop_index("ix_report_schedule_due", table_name="report_schedule")
    op.drop_table("report_schedule")
