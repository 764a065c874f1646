"""agreements, activities about them, and service levels that only these name"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0024"
down_revision = "core_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreement",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("stage_since", UtcDateTime(), nullable=True),
        sa.Column("value", FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("document_version", sa.BigInteger(), nullable=False),
        sa.Column("sla_policy_id", BigId, nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("notice_days", sa.BigInteger(), nullable=True),
        sa.Column("notice_on", sa.Date(), nullable=True),
        sa.Column("auto_renew", sa.Boolean(), nullable=True),
        sa.Column("term_months", sa.BigInteger(), nullable=True),
        sa.Column("renews_id", BigId, nullable=True),
        sa.Column("renewed_on", sa.Date(), nullable=True),
        sa.Column("renewals", sa.BigInteger(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
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
            ["customer_id"], ["customer.id"], name=op.f("fk_agreement_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sla_policy_id"], ["sla_policy.id"], name=op.f("fk_agreement_sla_policy_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["renews_id"], ["agreement.id"], name=op.f("fk_agreement_renews_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("external_id", name=op.f("uq_agreement_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_agreement_number")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.create_index("ix_agreement_customer_stage", ["customer_id", "stage", "starts"], unique=False)
        batch_op.create_index("ix_agreement_stage_notice", ["stage", "notice_on"], unique=False)
        batch_op.create_index("ix_agreement_stage_ends", ["stage", "ends"], unique=False)
        batch_op.create_index("ix_agreement_stage", ["stage", "id"], unique=False)
        batch_op.create_index(
            "ix_agreement_value", ["value", "id"], unique=False, postgresql_ops={"value": "NULLS FIRST"}
        )
        batch_op.create_index(
            "ix_agreement_starts", ["starts", "id"], unique=False, postgresql_ops={"starts": "NULLS FIRST"}
        )
        for name in ("customer_id", "sla_policy_id", "renews_id", "owner_id", "unit_id"):
            batch_op.create_index(batch_op.f(f"ix_agreement_{name}"), [name], unique=False)
    op.add_column("sla_policy", sa.Column("only_agreed", sa.Boolean(), nullable=True))
    _let_activities_refer()


def _let_activities_refer() -> None:
    """SQLite copies the table for a column that refers to another, and would leave indexes over fields behind."""
    connection = op.get_bind()
    over_fields: list[str] = []
    if connection.dialect.name == "sqlite":
        known = "SELECT sql FROM sqlite_master WHERE tbl_name = 'activity' AND name LIKE 'ix_activity_x_%'"
        over_fields = list(connection.scalars(sa.text(known)))
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agreement_id", BigId, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_activity_agreement_id"), "agreement", ["agreement_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(batch_op.f("ix_activity_agreement_id"), ["agreement_id"], unique=False)
    for statement in over_fields:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_agreement_id"))
        batch_op.drop_constraint(batch_op.f("fk_activity_agreement_id"), type_="foreignkey")
        batch_op.drop_column("agreement_id")
    op.drop_column("sla_policy", "only_agreed")
    op.drop_table("agreement")
