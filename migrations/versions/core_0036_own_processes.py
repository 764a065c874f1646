"""processes that organisations draw themselves"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0036"
down_revision = "core_0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_process",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("draft", JsonData, nullable=False),
        sa.Column("diagram", sa.LargeBinary(), nullable=False),
        sa.Column("published", JsonData, nullable=True),
        sa.Column("published_diagram", sa.LargeBinary(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("copied_from", sa.String(length=160), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_process")),
        sa.UniqueConstraint("name", name=op.f("uq_own_process_name")),
    )


def downgrade() -> None:
    op.drop_table("own_process")
