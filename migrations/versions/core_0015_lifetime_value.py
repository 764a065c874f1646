"""lifetime value of customers, and what they spend in all"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import FixedPoint

revision = "core_0015"
down_revision = "core_0014"
branch_labels = None
depends_on = None

_COLUMNS = ("clv", "alive", "expected_purchases", "category_spending")


def upgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.add_column(sa.Column(name, FixedPoint(), nullable=True))
        batch_op.create_index(
            "ix_customer_clv", ["clv", "id"], unique=False, postgresql_ops={"clv": "NULLS FIRST"}
        )


def downgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_clv", postgresql_ops={"clv": "NULLS FIRST"})
        for name in reversed(_COLUMNS):
            batch_op.drop_column(name)
