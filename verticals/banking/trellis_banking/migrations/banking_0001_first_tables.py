"""The first tables of the vertical."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis import types

revision = "banking_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "banking_branch",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("parent_id", types.BigId, nullable=True),
        sa.Column("city", sa.String(length=120), nullable=True),
        sa.Column("manager_id", types.BigId, nullable=True),
        sa.Column("staff", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["user.id"], name=op.f("fk_banking_branch_manager_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["banking_branch.id"],
            name=op.f("fk_banking_branch_parent_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_branch")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_branch_external_id")),
    )
    with op.batch_alter_table("banking_branch", schema=None) as batch_op:
        batch_op.create_index(
            "ix_banking_branch_code", ["code", "id"], unique=False, postgresql_ops={"code": "NULLS FIRST"}
        )
        batch_op.create_index(batch_op.f("ix_banking_branch_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index("ix_banking_branch_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_branch_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_branch_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_branch_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_kyc_review",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("customer_id", types.BigId, nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("stage_since", types.UtcDateTime(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("risk_class", sa.String(length=60), nullable=True),
        sa.Column("source_of_funds", sa.String(length=300), nullable=True),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_banking_kyc_review_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_kyc_review")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_kyc_review_external_id")),
    )
    with op.batch_alter_table("banking_kyc_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_banking_kyc_review_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_banking_kyc_review_due_on", ["due_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_kyc_review_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_banking_kyc_review_stage", ["stage", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_kyc_review_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_account",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("customer_id", types.BigId, nullable=False),
        sa.Column("product_id", types.BigId, nullable=True),
        sa.Column("branch_id", types.BigId, nullable=True),
        sa.Column("balance", types.FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("last_movement_on", sa.Date(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["banking_branch.id"],
            name=op.f("fk_banking_account_branch_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_banking_account_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_banking_account_product_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_account")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_account_external_id")),
    )
    with op.batch_alter_table("banking_account", schema=None) as batch_op:
        batch_op.create_index(
            "ix_banking_account_balance",
            ["balance", "id"],
            unique=False,
            postgresql_ops={"balance": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_banking_account_branch_id"), ["branch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_banking_account_customer_kind", ["customer_id", "kind"], unique=False)
        batch_op.create_index(
            "ix_banking_account_last_movement_on",
            ["last_movement_on", "id"],
            unique=False,
            postgresql_ops={"last_movement_on": "NULLS FIRST"},
        )
        batch_op.create_index("ix_banking_account_number", ["number", "id"], unique=False)
        batch_op.create_index(
            "ix_banking_account_opened_on",
            ["opened_on", "id"],
            unique=False,
            postgresql_ops={"opened_on": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_banking_account_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_application",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("customer_id", types.BigId, nullable=True),
        sa.Column("product_id", types.BigId, nullable=True),
        sa.Column("branch_id", types.BigId, nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("stage_since", types.UtcDateTime(), nullable=True),
        sa.Column("next_step_on", sa.Date(), nullable=True),
        sa.Column("amount", types.FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("term", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.String(length=200), nullable=True),
        sa.Column("submitted_at", types.UtcDateTime(), nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.String(length=60), nullable=True),
        sa.Column("decided_at", types.UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", types.BigId, nullable=True),
        sa.Column("refusal_reason", sa.String(length=200), nullable=True),
        sa.Column("closed_at", types.UtcDateTime(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["banking_branch.id"],
            name=op.f("fk_banking_application_branch_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_banking_application_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user.id"],
            name=op.f("fk_banking_application_decided_by_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_banking_application_product_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_application")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_application_external_id")),
    )
    with op.batch_alter_table("banking_application", schema=None) as batch_op:
        batch_op.create_index(
            "ix_banking_application_amount",
            ["amount", "id"],
            unique=False,
            postgresql_ops={"amount": "NULLS FIRST"},
        )
        batch_op.create_index("ix_banking_application_board", ["stage", "amount", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_application_branch_id"), ["branch_id"], unique=False)
        batch_op.create_index(
            "ix_banking_application_closed_at",
            ["closed_at", "id"],
            unique=False,
            postgresql_ops={"closed_at": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_banking_application_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_banking_application_decided_at",
            ["decided_at", "id"],
            unique=False,
            postgresql_ops={"decided_at": "NULLS FIRST"},
        )
        batch_op.create_index(
            batch_op.f("ix_banking_application_decided_by_id"), ["decided_by_id"], unique=False
        )
        batch_op.create_index("ix_banking_application_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_application_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_application_product_id"), ["product_id"], unique=False)
        batch_op.create_index("ix_banking_application_stage", ["stage", "id"], unique=False)
        batch_op.create_index(
            "ix_banking_application_submitted_at",
            ["submitted_at", "id"],
            unique=False,
            postgresql_ops={"submitted_at": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_banking_application_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_account_month",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("customer_id", types.BigId, nullable=False),
        sa.Column("branch_id", types.BigId, nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("balance", types.FixedPoint(), nullable=False),
        sa.Column("average_balance", types.FixedPoint(), nullable=False),
        sa.Column("interest_income", types.FixedPoint(), nullable=False),
        sa.Column("interest_cost", types.FixedPoint(), nullable=False),
        sa.Column("fees", types.FixedPoint(), nullable=False),
        sa.Column("service_cost", types.FixedPoint(), nullable=False),
        sa.Column("expected_loss", types.FixedPoint(), nullable=False),
        sa.Column("transactions", sa.BigInteger(), nullable=False),
        sa.Column("days_past_due", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["banking_account.id"],
            name=op.f("fk_banking_account_month_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["banking_branch.id"],
            name=op.f("fk_banking_account_month_branch_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_banking_account_month_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_account_month")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_account_month_external_id")),
    )
    with op.batch_alter_table("banking_account_month", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_banking_account_month_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_month_branch_id"), ["branch_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_banking_account_month_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index(
            "ix_banking_account_month_customer_month", ["customer_id", "month"], unique=False
        )
        batch_op.create_index("ix_banking_account_month_month_kind", ["month", "kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_month_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_account_month_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_deposit",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=True),
        sa.Column("branch_id", types.BigId, nullable=True),
        sa.Column("amount", types.FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("rate", types.FixedPoint(), nullable=True),
        sa.Column("term", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("matures_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["banking_account.id"],
            name=op.f("fk_banking_deposit_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["banking_branch.id"],
            name=op.f("fk_banking_deposit_branch_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_banking_deposit_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_deposit")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_deposit_external_id")),
    )
    with op.batch_alter_table("banking_deposit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_banking_deposit_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_banking_deposit_amount", ["amount", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_deposit_branch_id"), ["branch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_deposit_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_banking_deposit_matures_on",
            ["matures_on", "id"],
            unique=False,
            postgresql_ops={"matures_on": "NULLS FIRST"},
        )
        batch_op.create_index("ix_banking_deposit_number", ["number", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_deposit_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_deposit_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "banking_loan",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("customer_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=True),
        sa.Column("application_id", types.BigId, nullable=True),
        sa.Column("branch_id", types.BigId, nullable=True),
        sa.Column("amount", types.FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("rate", types.FixedPoint(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("schedule", sa.String(length=60), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("outstanding", types.FixedPoint(), nullable=True),
        sa.Column("days_past_due", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["banking_account.id"],
            name=op.f("fk_banking_loan_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["banking_application.id"],
            name=op.f("fk_banking_loan_application_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["banking_branch.id"], name=op.f("fk_banking_loan_branch_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_banking_loan_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banking_loan")),
        sa.UniqueConstraint("external_id", name=op.f("uq_banking_loan_external_id")),
    )
    with op.batch_alter_table("banking_loan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_banking_loan_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_loan_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_loan_branch_id"), ["branch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_loan_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_banking_loan_days_past_due", ["days_past_due", "id"], unique=False)
        batch_op.create_index("ix_banking_loan_number", ["number", "id"], unique=False)
        batch_op.create_index(
            "ix_banking_loan_opened_on",
            ["opened_on", "id"],
            unique=False,
            postgresql_ops={"opened_on": "NULLS FIRST"},
        )
        batch_op.create_index(
            "ix_banking_loan_outstanding",
            ["outstanding", "id"],
            unique=False,
            postgresql_ops={"outstanding": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_banking_loan_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_banking_loan_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("banking_loan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_loan_unit_id"))
        batch_op.drop_index(batch_op.f("ix_banking_loan_owner_id"))
        batch_op.drop_index("ix_banking_loan_outstanding", postgresql_ops={"outstanding": "NULLS FIRST"})
        batch_op.drop_index("ix_banking_loan_opened_on", postgresql_ops={"opened_on": "NULLS FIRST"})
        batch_op.drop_index("ix_banking_loan_number")
        batch_op.drop_index("ix_banking_loan_days_past_due")
        batch_op.drop_index(batch_op.f("ix_banking_loan_customer_id"))
        batch_op.drop_index(batch_op.f("ix_banking_loan_branch_id"))
        batch_op.drop_index(batch_op.f("ix_banking_loan_application_id"))
        batch_op.drop_index(batch_op.f("ix_banking_loan_account_id"))

    op.drop_table("banking_loan")
    with op.batch_alter_table("banking_deposit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_deposit_unit_id"))
        batch_op.drop_index(batch_op.f("ix_banking_deposit_owner_id"))
        batch_op.drop_index("ix_banking_deposit_number")
        batch_op.drop_index("ix_banking_deposit_matures_on", postgresql_ops={"matures_on": "NULLS FIRST"})
        batch_op.drop_index(batch_op.f("ix_banking_deposit_customer_id"))
        batch_op.drop_index(batch_op.f("ix_banking_deposit_branch_id"))
        batch_op.drop_index("ix_banking_deposit_amount")
        batch_op.drop_index(batch_op.f("ix_banking_deposit_account_id"))

    op.drop_table("banking_deposit")
    with op.batch_alter_table("banking_account_month", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_account_month_unit_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_month_owner_id"))
        batch_op.drop_index("ix_banking_account_month_month_kind")
        batch_op.drop_index("ix_banking_account_month_customer_month")
        batch_op.drop_index(batch_op.f("ix_banking_account_month_customer_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_month_branch_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_month_account_id"))

    op.drop_table("banking_account_month")
    with op.batch_alter_table("banking_application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_application_unit_id"))
        batch_op.drop_index(
            "ix_banking_application_submitted_at", postgresql_ops={"submitted_at": "NULLS FIRST"}
        )
        batch_op.drop_index("ix_banking_application_stage")
        batch_op.drop_index(batch_op.f("ix_banking_application_product_id"))
        batch_op.drop_index(batch_op.f("ix_banking_application_owner_id"))
        batch_op.drop_index("ix_banking_application_name")
        batch_op.drop_index(batch_op.f("ix_banking_application_decided_by_id"))
        batch_op.drop_index("ix_banking_application_decided_at", postgresql_ops={"decided_at": "NULLS FIRST"})
        batch_op.drop_index(batch_op.f("ix_banking_application_customer_id"))
        batch_op.drop_index("ix_banking_application_closed_at", postgresql_ops={"closed_at": "NULLS FIRST"})
        batch_op.drop_index(batch_op.f("ix_banking_application_branch_id"))
        batch_op.drop_index("ix_banking_application_board")
        batch_op.drop_index("ix_banking_application_amount", postgresql_ops={"amount": "NULLS FIRST"})

    op.drop_table("banking_application")
    with op.batch_alter_table("banking_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_account_unit_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_product_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_owner_id"))
        batch_op.drop_index("ix_banking_account_opened_on", postgresql_ops={"opened_on": "NULLS FIRST"})
        batch_op.drop_index("ix_banking_account_number")
        batch_op.drop_index(
            "ix_banking_account_last_movement_on", postgresql_ops={"last_movement_on": "NULLS FIRST"}
        )
        batch_op.drop_index("ix_banking_account_customer_kind")
        batch_op.drop_index(batch_op.f("ix_banking_account_customer_id"))
        batch_op.drop_index(batch_op.f("ix_banking_account_branch_id"))
        batch_op.drop_index("ix_banking_account_balance", postgresql_ops={"balance": "NULLS FIRST"})

    op.drop_table("banking_account")
    with op.batch_alter_table("banking_kyc_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_kyc_review_unit_id"))
        batch_op.drop_index("ix_banking_kyc_review_stage")
        batch_op.drop_index(batch_op.f("ix_banking_kyc_review_owner_id"))
        batch_op.drop_index("ix_banking_kyc_review_due_on")
        batch_op.drop_index(batch_op.f("ix_banking_kyc_review_customer_id"))

    op.drop_table("banking_kyc_review")
    with op.batch_alter_table("banking_branch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_banking_branch_unit_id"))
        batch_op.drop_index(batch_op.f("ix_banking_branch_parent_id"))
        batch_op.drop_index(batch_op.f("ix_banking_branch_owner_id"))
        batch_op.drop_index("ix_banking_branch_name")
        batch_op.drop_index(batch_op.f("ix_banking_branch_manager_id"))
        batch_op.drop_index("ix_banking_branch_code", postgresql_ops={"code": "NULLS FIRST"})

    op.drop_table("banking_branch")
