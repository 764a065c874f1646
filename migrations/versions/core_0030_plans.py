"""targets of categories and products"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId

revision = "core_0030"
down_revision = "core_0028"
branch_labels = None
depends_on = None

_GOODS = ("category", "product")


def upgrade() -> None:
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        for name in _GOODS:
            batch_op.add_column(sa.Column(f"{name}_id", BigId, nullable=True))
            batch_op.create_index(f"ix_kpi_target_{name}_id", [f"{name}_id"], unique=False)
            batch_op.create_foreign_key(
                f"fk_kpi_target_{name}_id", name, [f"{name}_id"], ["id"], ondelete="CASCADE"
            )


def downgrade() -> None:
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        for name in _GOODS:
            batch_op.drop_constraint(f"fk_kpi_target_{name}_id", type_="foreignkey")
            batch_op.drop_index(f"ix_kpi_target_{name}_id")
            batch_op.drop_column(f"{name}_id")
