"""time zones of customers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0040"
down_revision = "core_0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("time_zone", sa.String(length=60), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_column("time_zone")
