"""records that are told apart: not duplicates of each other"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, UtcDateTime

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "distinct_pair",
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("low_id", BigId, nullable=False, autoincrement=False),
        sa.Column("high_id", BigId, nullable=False, autoincrement=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "low_id", "high_id", name=op.f("pk_distinct_pair")),
    )
    op.create_index(op.f("ix_distinct_pair_high_id"), "distinct_pair", ["high_id"])


def downgrade() -> None:
    op.drop_table("distinct_pair")
