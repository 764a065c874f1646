"""views shared with a role; the view that opens a list for somebody"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.add_column(sa.Column("role", sa.String(length=80), nullable=True))
    op.create_table(
        "first_view",
        sa.Column("user_id", BigId, nullable=False, autoincrement=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("view_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name=op.f("fk_first_view_view_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "entity", name=op.f("pk_first_view")),
    )


def downgrade() -> None:
    op.drop_table("first_view")
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.drop_column("role")
