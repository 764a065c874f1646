"""how often a plugin failed of late"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import UtcDateTime

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plugin_fault", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recent", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("recent_since", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("plugin_fault", schema=None) as batch_op:
        batch_op.drop_column("recent_since")
        batch_op.drop_column("recent")
