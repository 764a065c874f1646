"""responsibility matrices of processes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0045"
down_revision = "core_0044"
branch_labels = None
depends_on = None

_LIVE = sa.text("deleted_at IS NULL")
_ONE_ANSWERS = sa.text("deleted_at IS NULL AND letter = 'A'")


def upgrade() -> None:
    op.create_table(
        "responsibility",
        sa.Column("id", BigId, nullable=False),
        sa.Column("process", sa.String(length=160), nullable=False),
        sa.Column("step", sa.String(length=160), nullable=False),
        sa.Column("position_id", BigId, nullable=False),
        sa.Column("letter", sa.String(length=60), nullable=False),
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
            ["position_id"], ["position.id"], name=op.f("fk_responsibility_position_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility")),
        sa.UniqueConstraint("external_id", name=op.f("uq_responsibility_external_id")),
    )
    for name in ("position_id", "owner_id", "unit_id"):
        op.create_index(op.f(f"ix_responsibility_{name}"), "responsibility", [name])
    for name, columns, where in (
        ("cell", ["process", "step", "position_id"], _LIVE),
        ("answers", ["process", "step"], _ONE_ANSWERS),
    ):
        op.create_index(
            f"uq_responsibility_{name}",
            "responsibility",
            columns,
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    op.drop_table("responsibility")
