"""Targets, members and history of segments, and when derived figures were computed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, UtcDateTime

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measured",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_measured")),
    )
    op.create_table(
        "segment_event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("segment", sa.String(length=160), nullable=False),
        sa.Column("record_id", BigId, nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_event")),
    )
    with op.batch_alter_table("segment_event", schema=None) as batch_op:
        batch_op.create_index("ix_segment_event_record_id", ["record_id"], unique=False)
        batch_op.create_index("ix_segment_event_segment_at", ["segment", "at"], unique=False)

    op.create_table(
        "segment_member",
        sa.Column("segment", sa.String(length=160), nullable=False),
        sa.Column("record_id", BigId, autoincrement=False, nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "record_id", name=op.f("pk_segment_member")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("segment_member", schema=None) as batch_op:
        batch_op.create_index("ix_segment_member_record_id_segment", ["record_id", "segment"], unique=False)

    op.create_table(
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


def downgrade() -> None:
    for table in ("kpi_target", "segment_member", "segment_event", "measured"):
        op.drop_table(table)
