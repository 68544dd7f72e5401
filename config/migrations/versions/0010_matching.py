"""Matching: name keys, how common names are, consent, pairs that stay apart, probability."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contact", sa.Column("family_name", sa.String(length=200), nullable=True))
    op.add_column("identity_link", sa.Column("probability", sa.Double(), nullable=True))
    op.create_table(
        "match_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", BigKey, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_match_key_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "contact_id", name=op.f("pk_match_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_match_key_contact", "match_key", ["contact_id"])
    op.create_table(
        "name_count",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("contacts", BigKey, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_name_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_consent",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("contact_id", BigKey, nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_contact_consent_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_consent")),
    )
    op.create_index("ix_contact_consent_contact", "contact_consent", ["contact_id"])
    op.create_table(
        "link_refusal",
        sa.Column("value_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("value_hash", name=op.f("pk_link_refusal")),
    )
    # Names are found by match_key now.
    op.execute("DELETE FROM contact_key WHERE kind = 'name'")


def downgrade() -> None:
    op.drop_table("link_refusal")
    op.drop_index("ix_contact_consent_contact", table_name="contact_consent")
    op.drop_table("contact_consent")
    op.drop_table("name_count")
    op.drop_index("ix_match_key_contact", table_name="match_key")
    op.drop_table("match_key")
    op.drop_column("identity_link", "probability")
    op.drop_column("contact", "family_name")
