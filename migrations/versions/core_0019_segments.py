"""the organisation's own segments and lists"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0019"
down_revision = "core_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_segment",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("tone", sa.String(length=20), nullable=False),
        sa.Column("rule", JsonData, nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_own_segment")),
    )
    op.create_table(
        "segment_listed",
        sa.Column("segment", sa.String(length=160), nullable=False),
        sa.Column("record_id", BigId, autoincrement=False, nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "record_id", name=op.f("pk_segment_listed")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("segment_listed", schema=None) as batch_op:
        batch_op.create_index("ix_segment_listed_record_id", ["record_id"], unique=False)


def downgrade() -> None:
    op.drop_table("segment_listed")
    op.drop_table("own_segment")
