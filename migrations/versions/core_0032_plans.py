"""targets of categories and products; bonus schemes, runs and statements"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0032"
down_revision = "core_0031"
branch_labels = None
depends_on = None

_GOODS = ("category", "product")
_TABLES = ("bonus_scheme", "bonus_part", "bonus_run", "bonus_statement", "bonus_line")


def upgrade() -> None:
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        for name in _GOODS:
            batch_op.add_column(sa.Column(f"{name}_id", BigId, nullable=True))
            batch_op.create_index(f"ix_kpi_target_{name}_id", [f"{name}_id"], unique=False)
            batch_op.create_foreign_key(
                f"fk_kpi_target_{name}_id", name, [f"{name}_id"], ["id"], ondelete="CASCADE"
            )
    _make_schemes()
    _make_parts()
    _make_runs()
    _make_statements()
    _make_lines()


def _make_schemes() -> None:
    op.create_table(
        "bonus_scheme",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("rhythm", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("of_unit_id", BigId, nullable=True),
        sa.Column("people", JsonData, nullable=True),
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
            ["of_unit_id"], ["unit.id"], name=op.f("fk_bonus_scheme_of_unit_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bonus_scheme")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bonus_scheme_external_id")),
    )
    with op.batch_alter_table("bonus_scheme", schema=None) as batch_op:
        batch_op.create_index("ix_bonus_scheme_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_scheme_of_unit_id"), ["of_unit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_scheme_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_scheme_unit_id"), ["unit_id"], unique=False)


def _make_parts() -> None:
    op.create_table(
        "bonus_part",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scheme_id", BigId, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("kpi", sa.String(length=160), nullable=True),
        sa.Column("rate", FixedPoint(), nullable=True),
        sa.Column("tiers", sa.String(length=300), nullable=True),
        sa.Column("threshold", FixedPoint(), nullable=True),
        sa.Column("sharing", sa.String(length=60), nullable=True),
        sa.Column("formula", sa.String(length=1000), nullable=True),
        sa.Column("amount", FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("rule", JsonData, nullable=True),
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
            ["scheme_id"], ["bonus_scheme.id"], name=op.f("fk_bonus_part_scheme_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bonus_part")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bonus_part_external_id")),
    )
    with op.batch_alter_table("bonus_part", schema=None) as batch_op:
        batch_op.create_index("ix_bonus_part_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_part_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_part_scheme_id"), ["scheme_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_part_unit_id"), ["unit_id"], unique=False)


def _make_runs() -> None:
    op.create_table(
        "bonus_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("scheme_id", BigId, nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("statements", sa.BigInteger(), nullable=False),
        sa.Column("total", FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("reckoned_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", BigId, nullable=True),
        sa.Column("terms", JsonData, nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bonus_run")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bonus_run_external_id")),
    )
    with op.batch_alter_table("bonus_run", schema=None) as batch_op:
        batch_op.create_index("ix_bonus_run_begins_on", ["begins_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_run_closed_by_id"), ["closed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_run_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_run_scheme_id"), ["scheme_id"], unique=False)
        batch_op.create_index("ix_bonus_run_scheme_period", ["scheme_id", "period"], unique=True)
        batch_op.create_index(batch_op.f("ix_bonus_run_unit_id"), ["unit_id"], unique=False)


def _make_statements() -> None:
    op.create_table(
        "bonus_statement",
        sa.Column("id", BigId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("scheme_id", BigId, nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("total", FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
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
            ["run_id"], ["bonus_run.id"], name=op.f("fk_bonus_statement_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bonus_statement")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bonus_statement_external_id")),
    )
    with op.batch_alter_table("bonus_statement", schema=None) as batch_op:
        batch_op.create_index("ix_bonus_statement_begins_on", ["begins_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_statement_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_statement_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_statement_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_bonus_statement_run_person", ["run_id", "person_id"], unique=True)
        batch_op.create_index(batch_op.f("ix_bonus_statement_scheme_id"), ["scheme_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_statement_unit_id"), ["unit_id"], unique=False)


def _make_lines() -> None:
    op.create_table(
        "bonus_line",
        sa.Column("id", BigId, nullable=False),
        sa.Column("statement_id", BigId, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("amount", FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("basis", JsonData, nullable=True),
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
            ["statement_id"],
            ["bonus_statement.id"],
            name=op.f("fk_bonus_line_statement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bonus_line")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bonus_line_external_id")),
    )
    with op.batch_alter_table("bonus_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bonus_line_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_line_statement_id"), ["statement_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bonus_line_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.drop_table(name)
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        for name in _GOODS:
            batch_op.drop_constraint(f"fk_kpi_target_{name}_id", type_="foreignkey")
            batch_op.drop_index(f"ix_kpi_target_{name}_id")
            batch_op.drop_column(f"{name}_id")
