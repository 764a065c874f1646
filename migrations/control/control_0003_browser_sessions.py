"""browser sessions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, UtcDateTime

revision = "control_0003"
down_revision = "control_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_session",
        sa.Column("id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_browser_session_identity_id", "browser_session", ["identity_id"])


def downgrade() -> None:
    op.drop_table("browser_session")
