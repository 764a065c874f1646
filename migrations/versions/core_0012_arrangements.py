"""dashboards as people arrange them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData

revision = "core_0012"
down_revision = "core_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrangement",
        sa.Column("user_id", BigId, nullable=False, autoincrement=False),
        sa.Column("dashboard", sa.String(length=160), nullable=False),
        sa.Column("layout", JsonData, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "dashboard", name=op.f("pk_arrangement")),
    )


def downgrade() -> None:
    op.drop_table("arrangement")
