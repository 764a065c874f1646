"""records that were merged into others"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "merged",
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("record_id", BigId, autoincrement=False, nullable=False),
        sa.Column("survivor_id", BigId, nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("fields", JsonData, nullable=False),
        sa.Column("cleared", JsonData, nullable=False),
        sa.Column("moved", JsonData, nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("user_name", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "record_id", name=op.f("pk_merged")),
    )
    with op.batch_alter_table("merged", schema=None) as batch_op:
        batch_op.create_index("ix_merged_external_id", ["entity", "external_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_merged_survivor_id"), ["survivor_id"], unique=False)


def downgrade() -> None:
    op.drop_table("merged")
