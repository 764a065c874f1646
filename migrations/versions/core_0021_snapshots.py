"""snapshots of KPIs, KPIs of the organisation, rates of currencies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0021"
down_revision = "core_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kpi_snapshot",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kpi", sa.String(length=160), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.String(length=60), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_snapshot")),
    )
    with op.batch_alter_table("kpi_snapshot", schema=None) as batch_op:
        batch_op.create_index(
            "ix_kpi_snapshot_period", ["period", "kpi", "unit_id", "person_id", "id"], unique=False
        )
    op.create_table(
        "own_kpi",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("declaration", JsonData, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_own_kpi")),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("id", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("rate", FixedPoint(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint("external_id", name=op.f("uq_exchange_rate_external_id")),
        sa.UniqueConstraint("key", name=op.f("uq_exchange_rate_key")),
    )
    with op.batch_alter_table("exchange_rate", schema=None) as batch_op:
        batch_op.create_index("ix_exchange_rate_currency_since", ["currency", "since"], unique=False)
        for name in ("owner_id", "unit_id"):
            batch_op.create_index(batch_op.f(f"ix_exchange_rate_{name}"), [name], unique=False)


def downgrade() -> None:
    for name in ("exchange_rate", "own_kpi", "kpi_snapshot"):
        op.drop_table(name)
