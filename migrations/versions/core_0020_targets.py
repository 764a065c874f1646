"""targets of KPIs become records"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0020"
down_revision = "core_0019"
branch_labels = None
depends_on = None

_OLD = ("id", "kpi", "period", "unit_id", "person_id", "value")


def upgrade() -> None:
    old = sa.table("kpi_target", *(sa.column(name) for name in _OLD[:-1]), sa.column("value", FixedPoint()))
    rows = [dict(row) for row in op.get_bind().execute(sa.select(old)).mappings()]
    op.drop_table("kpi_target")
    new = op.create_table(
        "kpi_target",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kpi", sa.String(length=160), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("of_unit_id", BigId, nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("value", FixedPoint(), nullable=True),
        sa.Column("key", sa.String(length=220), nullable=True),
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
            ["of_unit_id"], ["unit.id"], name=op.f("fk_kpi_target_of_unit_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["user.id"], name=op.f("fk_kpi_target_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_target")),
        sa.UniqueConstraint("external_id", name=op.f("uq_kpi_target_external_id")),
        sa.UniqueConstraint("key", name=op.f("uq_kpi_target_key")),
    )
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        batch_op.create_index("ix_kpi_target_kpi_period", ["kpi", "period"], unique=False)
        for name in ("of_unit_id", "person_id", "owner_id", "unit_id"):
            batch_op.create_index(batch_op.f(f"ix_kpi_target_{name}"), [name], unique=False)
    now = datetime.now(UTC)
    known: dict[str, dict[str, object]] = {}
    for row in sorted(rows, key=lambda one: one["id"]):
        unit, person = row.pop("unit_id"), row["person_id"]
        whom = f"/unit-{unit}" if unit is not None else f"/person-{person}" if person is not None else ""
        key = f"{row['kpi']}/{row['period']}{whom}"
        stamp = {"created_at": now, "updated_at": now, "version": 1, "extra": {}}
        known[key] = {**row, "of_unit_id": unit, "key": key, **stamp}
    if known:
        op.bulk_insert(new, list(known.values()))
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                "SELECT setval(pg_get_serial_sequence('kpi_target', 'id'), (SELECT max(id) FROM kpi_target))"
            )


def downgrade() -> None:
    names = ("id", "kpi", "period", "of_unit_id", "person_id")
    new = sa.table("kpi_target", *(sa.column(name) for name in names), sa.column("value", FixedPoint()))
    rows = op.get_bind().execute(sa.select(new)).mappings()
    kept = [dict(row) for row in rows if row["value"] is not None]
    op.drop_table("kpi_target")
    old = op.create_table(
        "kpi_target",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kpi", sa.String(length=160), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("value", FixedPoint(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["user.id"], name=op.f("fk_kpi_target_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_kpi_target_unit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_target")),
    )
    with op.batch_alter_table("kpi_target", schema=None) as batch_op:
        batch_op.create_index("ix_kpi_target_kpi_period", ["kpi", "period"], unique=False)
    if kept:
        op.bulk_insert(old, [{**row, "unit_id": row.pop("of_unit_id")} for row in kept])
