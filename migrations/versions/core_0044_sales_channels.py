"""channels through which is sold"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0044"
down_revision = "core_0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_channel",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("funnel", sa.String(length=60), nullable=True),
        sa.Column("cost", FixedPoint(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_channel")),
        sa.UniqueConstraint("external_id", name=op.f("uq_sales_channel_external_id")),
        sa.UniqueConstraint("name", name=op.f("uq_sales_channel_name")),
    )
    for name in ("owner_id", "unit_id"):
        op.create_index(op.f(f"ix_sales_channel_{name}"), "sales_channel", [name])


def downgrade() -> None:
    op.drop_table("sales_channel")
