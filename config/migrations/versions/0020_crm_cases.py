"""Cases and notes in CRMs, and which flags open one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_case",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("crm", sa.String(length=40), nullable=False),
        sa.Column("contact_id", BigKey, nullable=False),
        sa.Column("author_id", BigKey, nullable=False),
        sa.Column("mention_id", BigKey, nullable=True),
        sa.Column("incident_id", BigKey, nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_crm_case_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["author.id"],
            name=op.f("fk_crm_case_author_id_author"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mention_id"],
            ["mention.id"],
            name=op.f("fk_crm_case_mention_id_mention"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_case")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_crm_case_kind_key")),
    )
    op.create_index("ix_crm_case_contact", "crm_case", ["contact_id", "id"])
    op.create_index("ix_crm_case_author", "crm_case", ["author_id"])
    op.add_column(
        "flag", sa.Column("opens_case", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    is_case = sa.text("opens_case")
    op.create_index(
        "ix_flag_case", "flag", ["mention_id"], sqlite_where=is_case, postgresql_where=is_case
    )


def downgrade() -> None:
    op.drop_index("ix_flag_case", table_name="flag")
    op.drop_column("flag", "opens_case")
    op.drop_index("ix_crm_case_author", table_name="crm_case")
    op.drop_index("ix_crm_case_contact", table_name="crm_case")
    op.drop_table("crm_case")
