"""answers to surveys and benchmarks, loyalty programmes, classes and significance of customers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0016"
down_revision = "core_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "programme",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("segment", sa.String(length=160), nullable=True),
        sa.Column("member_field", sa.String(length=80), nullable=True),
        sa.Column("compare_by", sa.String(length=60), nullable=False),
        sa.Column("setup_cost", FixedPoint(), nullable=True),
        sa.Column("platform_cost", FixedPoint(), nullable=True),
        sa.Column("staff_cost", FixedPoint(), nullable=True),
        sa.Column("mailing_cost", FixedPoint(), nullable=True),
        sa.Column("rewards_cost", FixedPoint(), nullable=True),
        sa.Column("unredeemed", FixedPoint(), nullable=True),
        sa.Column("expected_redemption", FixedPoint(), nullable=False),
        sa.Column("discount_rate", FixedPoint(), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=False),
        sa.Column("margin_share", FixedPoint(), nullable=True),
        sa.Column("low_income", FixedPoint(), nullable=False),
        sa.Column("high_income", FixedPoint(), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("external_id", name=op.f("uq_programme_external_id")),
    )
    with op.batch_alter_table("programme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_programme_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_programme_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "satisfaction_benchmark",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("measure", sa.String(length=60), nullable=False),
        sa.Column("value", FixedPoint(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("period", sa.String(length=60), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfaction_benchmark")),
        sa.UniqueConstraint("external_id", name=op.f("uq_satisfaction_benchmark_external_id")),
    )
    with op.batch_alter_table("satisfaction_benchmark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_satisfaction_benchmark_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_satisfaction_benchmark_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "survey_answer",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("survey", sa.String(length=60), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("q1", sa.BigInteger(), nullable=True),
        sa.Column("q2", sa.BigInteger(), nullable=True),
        sa.Column("q3", sa.BigInteger(), nullable=True),
        sa.Column("nps", sa.BigInteger(), nullable=True),
        sa.Column("csat", sa.BigInteger(), nullable=True),
        sa.Column("ces", sa.BigInteger(), nullable=True),
        sa.Column("image", sa.BigInteger(), nullable=True),
        sa.Column("expectation", sa.BigInteger(), nullable=True),
        sa.Column("quality", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
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
            ["customer_id"], ["customer.id"], name=op.f("fk_survey_answer_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answer")),
        sa.UniqueConstraint("external_id", name=op.f("uq_survey_answer_external_id")),
    )
    with op.batch_alter_table("survey_answer", schema=None) as batch_op:
        batch_op.create_index("ix_survey_answer_answered_at", ["answered_at", "id"], unique=False)
        batch_op.create_index(
            "ix_survey_answer_customer_answered_at", ["customer_id", "answered_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_survey_answer_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_unit_id"), ["unit_id"], unique=False)

    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("abc", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("abc_before", FixedPoint(), nullable=True))
        batch_op.add_column(sa.Column("xyz", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("xyz_variation", FixedPoint(), nullable=True))
        batch_op.add_column(sa.Column("significance", FixedPoint(), nullable=True))
        batch_op.add_column(sa.Column("significance_class", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("significance_terms", JsonData, nullable=True))
        batch_op.create_index(
            "ix_customer_abc", ["abc", "id"], unique=False, postgresql_ops={"abc": "NULLS FIRST"}
        )
        batch_op.create_index(
            "ix_customer_significance",
            ["significance", "id"],
            unique=False,
            postgresql_ops={"significance": "NULLS FIRST"},
        )
        batch_op.create_index(
            "ix_customer_significance_class",
            ["significance_class", "id"],
            unique=False,
            postgresql_ops={"significance_class": "NULLS FIRST"},
        )


def downgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        for name in ("significance_class", "significance", "abc"):
            batch_op.drop_index(f"ix_customer_{name}")
        for name in ("abc", "abc_before", "xyz", "xyz_variation"):
            batch_op.drop_column(name)
        for name in ("significance", "significance_class", "significance_terms"):
            batch_op.drop_column(name)
    for name in ("survey_answer", "satisfaction_benchmark", "programme"):
        op.drop_table(name)
