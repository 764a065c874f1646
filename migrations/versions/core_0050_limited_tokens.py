"""limited tokens"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import JsonData, UtcDateTime

revision = "core_0050"
down_revision = "core_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_token", sa.Column("read_only", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("api_token", sa.Column("entities", JsonData, nullable=False, server_default="[]"))
    op.add_column("api_token", sa.Column("expires_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("api_token") as batch_op:
        for name in ("expires_at", "entities", "read_only"):
            batch_op.drop_column(name)
