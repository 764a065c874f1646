"""versions of processes, their instances, and the steps that these entered"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0022"
down_revision = "core_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("process", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("diagram", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_version")),
        sa.UniqueConstraint("process", "digest", name=op.f("uq_process_version_process_digest")),
    )
    op.create_table(
        "process_instance",
        sa.Column("id", BigId, nullable=False),
        sa.Column("process", sa.String(length=160), nullable=False),
        sa.Column("version_id", BigId, nullable=False),
        sa.Column("parent_id", BigId, nullable=True),
        sa.Column("entity", sa.String(length=80), nullable=True),
        sa.Column("record_id", BigId, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("flow", sa.LargeBinary(), nullable=False),
        sa.Column("variables", JsonData, nullable=False),
        sa.Column("done", JsonData, nullable=False),
        sa.Column("active", JsonData, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("stuck", sa.String(length=160), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("started_by_id", BigId, nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["process_version.id"], name=op.f("fk_process_instance_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_instance")),
        sa.UniqueConstraint("key", name=op.f("uq_process_instance_key")),
    )
    with op.batch_alter_table("process_instance", schema=None) as batch_op:
        batch_op.create_index("ix_process_instance_process_state", ["process", "state", "id"], unique=False)
        batch_op.create_index("ix_process_instance_record", ["entity", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_process_instance_version_id"), ["version_id"], unique=False)
    op.create_table(
        "process_step",
        sa.Column("id", BigId, nullable=False),
        sa.Column("instance_id", BigId, nullable=False),
        sa.Column("process", sa.String(length=160), nullable=False),
        sa.Column("element", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("by_id", BigId, nullable=True),
        sa.Column("excluded", JsonData, nullable=False),
        sa.Column("awaits", sa.String(length=300), nullable=True),
        sa.Column("outcome", JsonData, nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["process_instance.id"],
            name=op.f("fk_process_step_instance_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_step")),
    )
    with op.batch_alter_table("process_step", schema=None) as batch_op:
        batch_op.create_index("ix_process_step_instance", ["instance_id", "id"], unique=False)
        batch_op.create_index("ix_process_step_person", ["person_id", "left_at", "due_at"], unique=False)
        batch_op.create_index("ix_process_step_awaits", ["awaits"], unique=False)
        batch_op.create_index("ix_process_step_element", ["process", "left_at"], unique=False)
    op.create_table(
        "process_audience",
        sa.Column("step_id", BigId, autoincrement=False, nullable=False),
        sa.Column("audience", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_id"], ["process_step.id"], name=op.f("fk_process_audience_step_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("step_id", "audience", name=op.f("pk_process_audience")),
    )
    with op.batch_alter_table("process_audience", schema=None) as batch_op:
        batch_op.create_index("ix_process_audience_audience", ["audience", "step_id"], unique=False)


def downgrade() -> None:
    for name in ("process_audience", "process_step", "process_instance", "process_version"):
        op.drop_table(name)
