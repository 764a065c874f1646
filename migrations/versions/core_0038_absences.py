"""who is away, and who stands in for them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId

revision = "core_0038"
down_revision = "core_0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("user_id", BigId, autoincrement=False, nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("substitute_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_absence_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_substitute", "absence", ["substitute_id", "ends"])


def downgrade() -> None:
    op.drop_index("ix_absence_substitute", "absence")
    op.drop_table("absence")
