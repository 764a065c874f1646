"""boards and queues are read in the order of their index, what is empty first, as lists have it"""

from __future__ import annotations

from alembic import op

revision = "core_0041"
down_revision = "core_0039"
branch_labels = None
depends_on = None

_INDEXES = {
    ("opportunity", "ix_opportunity_board", "amount"): ["funnel", "stage", "amount", "id"],
    ("case", "ix_case_board", "resolution_due"): ["state", "resolution_due", "id"],
}


def upgrade() -> None:
    _make({"postgresql_ops": "NULLS FIRST"})


def downgrade() -> None:
    _make({})


def _make(order: dict[str, str]) -> None:
    """On SQLite the index is right as it is: what is empty comes first."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for (table, name, column), columns in _INDEXES.items():
        op.drop_index(name, table_name=table)
        options = {option: {column: value} for option, value in order.items()}
        op.create_index(name, table, columns, unique=False, **options)
