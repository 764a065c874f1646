"""notifications, and how people want to be told; reminders of activities, and calendars of them; escalation of cases; templates of mails"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0033"
down_revision = "core_0032"
branch_labels = None
depends_on = None

_UNREAD = sa.text("read_at IS NULL")


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
        ["user_id", "in_app"],
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
    op.create_table(
        "calendar_feed",
        sa.Column("user_id", BigId, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feed_digest")),
    )
    _let_activities_refer()
    _let_cases_escalate()
    _make_mail_templates()


def _of_records(table: str) -> list[sa.schema.SchemaItem]:
    """What all records have."""
    return [
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
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("external_id", name=op.f(f"uq_{table}_external_id")),
    ]


def _make_mail_templates() -> None:
    op.create_table(
        "mail_template",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("of_entity", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=60), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_of_records("mail_template"),
    )
    for name in ("name", "of_entity"):
        op.create_index(f"ix_mail_template_{name}", "mail_template", [name, "id"])
    for name in ("owner_id", "unit_id"):
        op.create_index(op.f(f"ix_mail_template_{name}"), "mail_template", [name])


def _let_cases_escalate() -> None:
    op.create_table(
        "sla_escalation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("policy_id", BigId, nullable=False),
        sa.Column("clock", sa.String(length=60), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("position_id", BigId, nullable=True),
        *_of_records("sla_escalation"),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["sla_policy.id"], name=op.f("fk_sla_escalation_policy_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
            name=op.f("fk_sla_escalation_position_id"),
            ondelete="SET NULL",
        ),
    )
    for name in ("policy_id", "position_id", "owner_id", "unit_id"):
        op.create_index(op.f(f"ix_sla_escalation_{name}"), "sla_escalation", [name])
    op.create_table(
        "case_escalation",
        sa.Column("case_id", BigId, autoincrement=False, nullable=False),
        sa.Column("step_id", BigId, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_case_escalation_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["step_id"], ["sla_escalation.id"], name=op.f("fk_case_escalation_step_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "step_id", name=op.f("pk_case_escalation")),
    )
    op.add_column("case", sa.Column("escalates_at", UtcDateTime(), nullable=True))
    op.add_column("case", sa.Column("escalation", sa.String(length=200), nullable=True))


def _let_activities_refer() -> None:
    """SQLite copies the table for a column that refers to another, and would leave indexes over fields behind."""
    connection = op.get_bind()
    over_fields: list[str] = []
    if connection.dialect.name == "sqlite":
        known = "SELECT sql FROM sqlite_master WHERE tbl_name = 'activity' AND name LIKE 'ix_activity_x_%'"
        over_fields = list(connection.scalars(sa.text(known)))
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mail_to", sa.String(length=254), nullable=True))
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
    for name in ("escalation", "escalates_at"):
        op.drop_column("case", name)
    for name in ("mail_template", "case_escalation", "sla_escalation"):
        op.drop_table(name)
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_case_id"))
        batch_op.drop_constraint(batch_op.f("fk_activity_case_id"), type_="foreignkey")
        for name in ("case_id", "remind_at", "remind_before", "mail_to"):
            batch_op.drop_column(name)
    for name in ("calendar_feed", "notification_choice", "notification"):
        op.drop_table(name)
