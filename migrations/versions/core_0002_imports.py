"""imports in steps: the file kept in parts, what was asked, the events of each batch, saved mappings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("plan", JsonData, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("total", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "import_part",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_part_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "kind", "number", name=op.f("pk_import_part")),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("first_event", sa.BigInteger(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_batch_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_batch_run_id"), ["run_id"], unique=False)
    op.create_table(
        "saved_mapping",
        sa.Column("id", BigId, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("plan", JsonData, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_mapping")),
    )
    with op.batch_alter_table("saved_mapping", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_mapping_entity"), ["entity"], unique=False)


def downgrade() -> None:
    op.drop_table("saved_mapping")
    op.drop_table("import_batch")
    op.drop_table("import_part")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_column("total")
        batch_op.drop_column("plan")
        batch_op.drop_column("state")
