"""stages of products, and what the sales trend proposes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import FixedPoint, UtcDateTime

revision = "core_0030"
down_revision = "core_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product", sa.Column("life_stage", sa.String(length=60), nullable=True))
    op.add_column("product", sa.Column("stage_since", UtcDateTime(), nullable=True))
    op.add_column("product", sa.Column("proposed_stage", sa.String(length=60), nullable=True))
    op.add_column("product", sa.Column("sales_trend", FixedPoint(), nullable=True))
    op.create_index(
        "ix_product_life_stage",
        "product",
        ["life_stage", "id"],
        postgresql_ops={"life_stage": "NULLS FIRST"},
    )


def downgrade() -> None:
    op.drop_index("ix_product_life_stage", "product")
    for name in ("sales_trend", "proposed_stage", "stage_since", "life_stage"):
        op.drop_column("product", name)
