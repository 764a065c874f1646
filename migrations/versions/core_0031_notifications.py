"""notifications, and how people want to be told; reminders of activities, and activities about cases"""

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
    _let_activities_refer()


def _let_activities_refer() -> None:
    """SQLite copies the table for a column that refers to another, and would leave indexes over fields behind."""
    connection = op.get_bind()
    over_fields: list[str] = []
    if connection.dialect.name == "sqlite":
        known = "SELECT sql FROM sqlite_master WHERE tbl_name = 'activity' AND name LIKE 'ix_activity_x_%'"
        over_fields = list(connection.scalars(sa.text(known)))
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remind_before", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("remind_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("case_id", BigId, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_activity_case_id"), "case", ["case_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(batch_op.f("ix_activity_case_id"), ["case_id"], unique=False)
    for statement in over_fields:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_case_id"))
        batch_op.drop_constraint(batch_op.f("fk_activity_case_id"), type_="foreignkey")
        for name in ("case_id", "remind_at", "remind_before"):
            batch_op.drop_column(name)
    for name in ("notification_choice", "notification"):
        op.drop_table(name)
