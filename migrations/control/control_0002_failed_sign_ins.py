"""failed sign-ins"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import UtcDateTime

revision = "control_0002"
down_revision = "control_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_sign_ins",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("refused_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_failed_sign_ins_last_at", "failed_sign_ins", ["last_at"])


def downgrade() -> None:
    op.drop_table("failed_sign_ins")
