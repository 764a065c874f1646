"""cases, problems, known solutions, business calendars, service levels; numbers without gaps"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0018"
down_revision = "core_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "business_calendar",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("monday", sa.String(length=120), nullable=True),
        sa.Column("tuesday", sa.String(length=120), nullable=True),
        sa.Column("wednesday", sa.String(length=120), nullable=True),
        sa.Column("thursday", sa.String(length=120), nullable=True),
        sa.Column("friday", sa.String(length=120), nullable=True),
        sa.Column("saturday", sa.String(length=120), nullable=True),
        sa.Column("sunday", sa.String(length=120), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_calendar")),
        sa.UniqueConstraint("external_id", name=op.f("uq_business_calendar_external_id")),
    )
    with op.batch_alter_table("business_calendar", schema=None) as batch_op:
        batch_op.create_index("ix_business_calendar_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_calendar_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_calendar_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "numbering",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_numbering")),
    )
    op.create_table(
        "holiday",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("calendar_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hours", sa.String(length=120), nullable=True),
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
            ["calendar_id"], ["business_calendar.id"], name=op.f("fk_holiday_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday")),
        sa.UniqueConstraint("external_id", name=op.f("uq_holiday_external_id")),
    )
    with op.batch_alter_table("holiday", schema=None) as batch_op:
        batch_op.create_index("ix_holiday_calendar_day", ["calendar_id", "day"], unique=False)
        batch_op.create_index(batch_op.f("ix_holiday_calendar_id"), ["calendar_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holiday_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holiday_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "sla_policy",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("calendar_id", BigId, nullable=False),
        sa.Column("first_response_minutes", sa.BigInteger(), nullable=True),
        sa.Column("resolution_minutes", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.String(length=60), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("significance", sa.String(length=60), nullable=True),
        sa.Column("customer_id", BigId, nullable=True),
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
            ["calendar_id"],
            ["business_calendar.id"],
            name=op.f("fk_sla_policy_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_sla_policy_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policy")),
        sa.UniqueConstraint("external_id", name=op.f("uq_sla_policy_external_id")),
    )
    with op.batch_alter_table("sla_policy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sla_policy_calendar_id"), ["calendar_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sla_policy_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_sla_policy_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sla_policy_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sla_policy_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "problem",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("product_id", BigId, nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("workaround", sa.Text(), nullable=True),
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
            ["product_id"], ["product.id"], name=op.f("fk_problem_product_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sa.UniqueConstraint("external_id", name=op.f("uq_problem_external_id")),
    )
    with op.batch_alter_table("problem", schema=None) as batch_op:
        batch_op.create_index("ix_problem_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_problem_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_problem_product_id"), ["product_id"], unique=False)
        batch_op.create_index("ix_problem_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_problem_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "solution",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("product_id", BigId, nullable=True),
        sa.Column("problem_id", BigId, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
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
            ["problem_id"], ["problem.id"], name=op.f("fk_solution_problem_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_solution_product_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solution")),
        sa.UniqueConstraint("external_id", name=op.f("uq_solution_external_id")),
    )
    with op.batch_alter_table("solution", schema=None) as batch_op:
        batch_op.create_index("ix_solution_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_solution_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_solution_problem_id"), ["problem_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_solution_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_solution_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "case",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("impact", sa.String(length=60), nullable=True),
        sa.Column("urgency", sa.String(length=60), nullable=True),
        sa.Column("priority", sa.String(length=60), nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("product_id", BigId, nullable=True),
        sa.Column("order_id", BigId, nullable=True),
        sa.Column("problem_id", BigId, nullable=True),
        sa.Column("solution_id", BigId, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("first_response_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("policy_id", BigId, nullable=True),
        sa.Column("first_response_due", UtcDateTime(), nullable=True),
        sa.Column("resolution_due", UtcDateTime(), nullable=True),
        sa.Column("first_response_met", sa.Boolean(), nullable=True),
        sa.Column("resolution_met", sa.Boolean(), nullable=True),
        sa.Column("paused_since", UtcDateTime(), nullable=True),
        sa.Column("paused_seconds", sa.BigInteger(), nullable=True),
        sa.Column("reopened", sa.BigInteger(), nullable=True),
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
            ["contact_id"], ["contact.id"], name=op.f("fk_case_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_case_customer_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["order.id"], name=op.f("fk_case_order_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["sla_policy.id"], name=op.f("fk_case_policy_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problem.id"], name=op.f("fk_case_problem_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_case_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["solution_id"], ["solution.id"], name=op.f("fk_case_solution_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("external_id", name=op.f("uq_case_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_case_number")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.create_index("ix_case_board", ["state", "resolution_due", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_case_customer_opened_at", ["customer_id", "opened_at"], unique=False)
        batch_op.create_index("ix_case_opened_at", ["opened_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_policy_id"), ["policy_id"], unique=False)
        batch_op.create_index(
            "ix_case_priority", ["priority", "id"], unique=False, postgresql_ops={"priority": "NULLS FIRST"}
        )
        batch_op.create_index(batch_op.f("ix_case_problem_id"), ["problem_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            "ix_case_resolution_due",
            ["resolution_due", "id"],
            unique=False,
            postgresql_ops={"resolution_due": "NULLS FIRST"},
        )
        batch_op.create_index(
            "ix_case_resolved_at",
            ["resolved_at", "id"],
            unique=False,
            postgresql_ops={"resolved_at": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_case_solution_id"), ["solution_id"], unique=False)
        batch_op.create_index("ix_case_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    for name in (
        "case",
        "solution",
        "problem",
        "sla_policy",
        "holiday",
        "numbering",
        "business_calendar",
    ):
        op.drop_table(name)
