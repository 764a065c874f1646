"""which product a survey and its answers are about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId

revision = "core_0043"
down_revision = "core_0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("survey", "survey_answer"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("product_id", BigId, nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_product_id"), "product", ["product_id"], ["id"], ondelete="SET NULL"
            )
            batch_op.create_index(batch_op.f(f"ix_{table}_product_id"), ["product_id"], unique=False)


def downgrade() -> None:
    for table in ("survey", "survey_answer"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_product_id"))
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_product_id"), type_="foreignkey")
            batch_op.drop_column("product_id")
