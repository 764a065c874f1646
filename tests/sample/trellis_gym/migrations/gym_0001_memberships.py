"""Memberships."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "gym_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gym_membership",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("external_id", sa.String(120)),
        sa.Column("owner_id", BigId),
        sa.Column("unit_id", BigId),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("extra", JsonData, nullable=False, server_default="{}"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE")),
        sa.UniqueConstraint("external_id", name="uq_gym_membership_external_id"),
    )
    for column in ("owner_id", "unit_id", "customer_id"):
        op.create_index(f"ix_gym_membership_{column}", "gym_membership", [column])


def downgrade() -> None:
    op.drop_table("gym_membership")
