"""document templates"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0034"
down_revision = "core_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_template",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("of_entity", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_template")),
        sa.UniqueConstraint("external_id", name=op.f("uq_document_template_external_id")),
    )
    with op.batch_alter_table("document_template", schema=None) as batch_op:
        batch_op.create_index("ix_document_template_name", ["name", "id"], unique=False)
        batch_op.create_index("ix_document_template_of_entity", ["of_entity", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_template_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_template_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("document_template", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_template_unit_id"))
        batch_op.drop_index(batch_op.f("ix_document_template_owner_id"))
        batch_op.drop_index("ix_document_template_of_entity")
        batch_op.drop_index("ix_document_template_name")

    op.drop_table("document_template")
