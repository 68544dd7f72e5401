"""The playbook: tasks, clocks, claims, statements; which protocol files were in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from config.db import BigKey, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_round", BigKey, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("assessment", _JSON, nullable=True))
        batch_op.add_column(sa.Column("assessed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("assessed_by", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("playbook", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("claims_at", UTCDateTime(), nullable=True))

    op.create_table(
        "protocol_seen",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.Column("protocol_version_id", BigKey, nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_protocol_seen_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_version.id"],
            name=op.f("fk_protocol_seen_protocol_version_id_protocol_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_seen")),
    )
    op.create_index("ix_protocol_seen_brand", "protocol_seen", ["brand_id", "id"])

    op.create_table(
        "incident_task",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("playbook", sa.String(length=60), nullable=False),
        sa.Column("position", BigKey, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("done_by", sa.String(length=320), nullable=True),
        sa.Column("dropped_at", UTCDateTime(), nullable=True),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        _to_incident("incident_task"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_task")),
        sa.UniqueConstraint("incident_id", "key", name=op.f("uq_incident_task_incident_id_key")),
    )
    _due_index("incident_task", "done_at IS NULL AND dropped_at IS NULL AND due_at IS NOT NULL")

    op.create_table(
        "incident_clock",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", BigKey, nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("stopped_at", UTCDateTime(), nullable=True),
        sa.Column("stopped_by", sa.String(length=320), nullable=True),
        sa.Column("is_met", sa.Boolean(), nullable=True),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        _to_incident("incident_clock"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_clock")),
        sa.UniqueConstraint(
            "incident_id", "kind", "number", name=op.f("uq_incident_clock_incident_id_kind_number")
        ),
    )
    _due_index("incident_clock", "stopped_at IS NULL")

    op.create_table(
        "incident_claim",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=True),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("words", _JSON, nullable=False),
        sa.Column("mentions", BigKey, nullable=False),
        sa.Column("first_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("verdict", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.String(length=320), server_default="", nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=320), nullable=True),
        _to_incident("incident_claim"),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_incident_claim_mention_id_mention"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_claim")),
    )
    op.create_index("ix_incident_claim_incident", "incident_claim", ["incident_id", "mentions"])

    op.create_table(
        "claim_mention",
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("claim_id", BigKey, nullable=True),
        _to_incident("claim_mention"),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_claim_mention_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["incident_claim.id"],
            name=op.f("fk_claim_mention_claim_id_incident_claim"),
        ),
        sa.PrimaryKeyConstraint("incident_id", "mention_id", name=op.f("pk_claim_mention")),
    )
    op.create_index("ix_claim_mention_claim", "claim_mention", ["claim_id"])

    op.create_table(
        "incident_statement",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("incident_id", BigKey, nullable=False),
        sa.Column("claim_id", BigKey, nullable=True),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("strategy", sa.String(length=20), nullable=False),
        sa.Column("lang", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("needs", _JSON, nullable=False),
        sa.Column("approvals", _JSON, nullable=False),
        sa.Column("may_go_at", UTCDateTime(), nullable=True),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("requested_by", sa.String(length=320), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=320), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        _to_incident("incident_statement"),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["incident_claim.id"],
            name=op.f("fk_incident_statement_claim_id_incident_claim"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_statement")),
    )
    op.create_index("ix_incident_statement_incident", "incident_statement", ["incident_id", "id"])

    op.create_table(
        "mention_class",
        sa.Column("mention_id", BigKey, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_mention_class_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_mention_class")),
    )


def _to_incident(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["incident_id"], ["incident.id"], name=op.f(f"fk_{table}_incident_id_incident")
    )


def _due_index(table: str, condition: str) -> None:
    op.create_index(
        f"ix_{table}_due",
        table,
        ["due_at"],
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )


def downgrade() -> None:
    for table in (
        "mention_class",
        "incident_statement",
        "claim_mention",
        "incident_claim",
        "incident_clock",
        "incident_task",
        "protocol_seen",
    ):
        op.drop_table(table)
    with op.batch_alter_table("incident", schema=None) as batch_op:
        for column in (
            "claims_at",
            "playbook",
            "assessed_by",
            "assessed_at",
            "assessment",
            "first_round",
        ):
            batch_op.drop_column(column)
