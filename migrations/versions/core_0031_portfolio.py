"""classes of products, and what is known of the market of a category"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import FixedPoint

revision = "core_0031"
down_revision = "core_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("abc", "xyz"):
        op.add_column("product", sa.Column(name, sa.String(length=60), nullable=True))
    op.create_index("ix_product_abc", "product", ["abc", "id"], postgresql_ops={"abc": "NULLS FIRST"})
    for name in ("market_growth", "rival_sales"):
        op.add_column("category", sa.Column(name, FixedPoint(), nullable=True))


def downgrade() -> None:
    for name in ("rival_sales", "market_growth"):
        op.drop_column("category", name)
    op.drop_index("ix_product_abc", "product")
    for name in ("xyz", "abc"):
        op.drop_column("product", name)
