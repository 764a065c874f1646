"""notifications, and how people want to be told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0031"
down_revision = "core_0028"
branch_labels = None
depends_on = None

_UNREAD = sa.text("read_at IS NULL AND in_app")


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=160), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=True),
        sa.Column("record_id", BigId, nullable=True),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("told", JsonData, nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("key", sa.String(length=250), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("key", name=op.f("uq_notification_key")),
    )
    op.create_index("ix_notification_user", "notification", ["user_id", "id"])
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["user_id"],
        sqlite_where=_UNREAD,
        postgresql_where=_UNREAD,
    )
    op.create_index("ix_notification_at", "notification", ["at"])
    op.create_table(
        "notification_choice",
        sa.Column("user_id", BigId, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=160), nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_choice")),
    )


def downgrade() -> None:
    for name in ("notification_choice", "notification"):
        op.drop_table(name)
