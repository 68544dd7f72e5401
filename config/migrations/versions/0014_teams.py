"""Teams, their brands and members; who a user is to the sign-on provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from config.db import BigKey, UTCDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("subject", sa.String(length=500), nullable=True))
    op.create_index("ix_user_account_subject", "user_account", ["subject"], unique=True)
    op.create_table(
        "team",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "team_brand",
        sa.Column("team_id", BigKey, nullable=False),
        sa.Column("brand_id", BigKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_team_brand_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_team_brand_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("team_id", "brand_id", name=op.f("pk_team_brand")),
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", BigKey, nullable=False),
        sa.Column("user_id", BigKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_team_member_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_team_member_user_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_user", "team_member", ["user_id"])


def downgrade() -> None:
    op.drop_table("team_member")
    op.drop_table("team_brand")
    op.drop_table("team")
    op.drop_index("ix_user_account_subject", table_name="user_account")
    op.drop_column("user_account", "subject")
