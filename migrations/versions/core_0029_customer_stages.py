"""stages of customers and how they went through them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, UtcDateTime

revision = "core_0029"
down_revision = "core_0028"
branch_labels = None
depends_on = None

_COLUMNS = ("relationship_stage", "stage_held", "stage_since")


def upgrade() -> None:
    for name, kind in zip(_COLUMNS, (sa.String(length=60), sa.Boolean(), UtcDateTime()), strict=True):
        op.add_column("customer", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_customer_relationship_stage",
        "customer",
        ["relationship_stage", "id"],
        postgresql_ops={"relationship_stage": "NULLS FIRST"},
    )
    op.create_table(
        "customer_stay",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("went_to", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_stay_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_stay")),
    )
    op.create_index("ix_customer_stay_customer_id", "customer_stay", ["customer_id"])
    for moment in ("entered", "left"):
        columns = [f"{moment}_at", "stage", "customer_id"]
        op.create_index(f"ix_customer_stay_{moment}", "customer_stay", columns)


def downgrade() -> None:
    op.drop_table("customer_stay")
    op.drop_index("ix_customer_relationship_stage", "customer")
    for name in _COLUMNS:
        op.drop_column("customer", name)
