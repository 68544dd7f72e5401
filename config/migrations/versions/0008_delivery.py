"""Acknowledgements, silences, who is on call, replies; whose claim a message is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _list() -> sa.types.TypeEngine[Any]:
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("incident") as incident:
        incident.add_column(
            sa.Column("kind", sa.String(20), nullable=False, server_default="burst")
        )
        incident.add_column(sa.Column("suppressed_by", sa.String(40), nullable=True))
    with op.batch_alter_table("notification") as notification:
        notification.add_column(sa.Column("claimed_by", sa.String(40), nullable=True))
        notification.add_column(sa.Column("acked_at", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_notification_contact_sent",
        "notification",
        ["contact", "sent_at"],
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("round", BigKey, nullable=False),
        sa.Column("contact", sa.String(100), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_acknowledgement_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
        sa.UniqueConstraint(
            "incident_id",
            "round",
            "contact",
            name=op.f("uq_acknowledgement_incident_id_round_contact"),
        ),
    )
    op.create_table(
        "silence",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=True),
        sa.Column("topics", _list(), nullable=False),
        sa.Column("severities", _list(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_silence_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index("ix_silence_ends", "silence", ["ends_at"])
    op.create_table(
        "on_call_override",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("rotation", sa.String(100), nullable=False),
        sa.Column("contact", sa.String(100), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_on_call_override_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_override")),
    )
    op.create_index("ix_on_call_override_ends", "on_call_override", ["ends_at"])
    op.create_table(
        "on_call_calendar",
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("fetched_at", UTCDateTime(), nullable=True),
        sa.Column("tried_at", UTCDateTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_on_call_calendar")),
    )
    op.create_table(
        "inbound_reply",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("incident_id", BigKey, nullable=True),
        sa.Column("contact", sa.String(100), nullable=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_inbound_reply_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_reply")),
        sa.UniqueConstraint(
            "source", "external_id", name=op.f("uq_inbound_reply_source_external_id")
        ),
    )


def downgrade() -> None:
    for table in (
        "inbound_reply",
        "on_call_calendar",
        "on_call_override",
        "silence",
        "acknowledgement",
    ):
        op.drop_table(table)
    op.drop_index("ix_notification_contact_sent", table_name="notification")
    with op.batch_alter_table("notification") as notification:
        notification.drop_column("acked_at")
        notification.drop_column("claimed_by")
    with op.batch_alter_table("incident") as incident:
        incident.drop_column("suppressed_by")
        incident.drop_column("kind")
