"""the right to personal data in roles; time zone and formats of people

Revision ID: core_0015
Revises: core_0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0014"
down_revision = "core_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("own_role", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("personal_data", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("formats", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("timezone", sa.String(length=60), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_column("timezone")
        batch_op.drop_column("formats")
    with op.batch_alter_table("own_role", schema=None) as batch_op:
        batch_op.drop_column("personal_data")
