"""search"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql")
    op.create_table(
        "search_word",
        sa.Column("word", text, nullable=False),
        sa.Column("backwards", text, nullable=False),
    )
    for name in ("word", "backwards"):
        op.create_index(f"ix_search_word_{name}", "search_word", [name])


def downgrade() -> None:
    op.drop_table("search_word")
