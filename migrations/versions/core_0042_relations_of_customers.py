"""how customers belong together"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0042"
down_revision = "core_0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_relation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("other_id", BigId, nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
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
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_customer_relation_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["customer.id"], name=op.f("fk_customer_relation_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_relation")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customer_relation_external_id")),
    )
    for name in ("customer_id", "other_id", "owner_id", "unit_id"):
        op.create_index(op.f(f"ix_customer_relation_{name}"), "customer_relation", [name])


def downgrade() -> None:
    op.drop_table("customer_relation")
