"""rules under which fields are required and shown

Revision ID: core_0014
Revises: core_0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import JsonData

revision = "core_0013"
down_revision = "core_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "field_condition",
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("field", sa.String(length=160), nullable=False),
        sa.Column("required_when", JsonData, nullable=True),
        sa.Column("visible_when", JsonData, nullable=True),
        sa.PrimaryKeyConstraint("entity", "field", name=op.f("pk_field_condition")),
    )


def downgrade() -> None:
    op.drop_table("field_condition")
