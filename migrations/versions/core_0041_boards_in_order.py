"""boards and queues are read in the order of an index, also those of one person; what is empty comes first, as in lists"""

from __future__ import annotations

from alembic import op

revision = "core_0041"
down_revision = "core_0040"
branch_labels = None
depends_on = None

_BOARDS = (
    ("opportunity", "ix_opportunity_board", ["funnel", "stage", "amount", "id"], "amount"),
    ("case", "ix_case_board", ["state", "resolution_due", "id"], "resolution_due"),
)


def upgrade() -> None:
    _make_boards(first=True)
    op.create_index(
        "ix_case_owner_board",
        "case",
        ["owner_id", "state", "resolution_due", "id"],
        unique=False,
        postgresql_ops={"resolution_due": "NULLS FIRST"},
    )


def downgrade() -> None:
    op.drop_index("ix_case_owner_board", table_name="case")
    _make_boards(first=False)


def _make_boards(*, first: bool) -> None:
    """On SQLite they are right as they are: what is empty comes first there."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, name, columns, empty in _BOARDS:
        op.drop_index(name, table_name=table)
        op.create_index(
            name, table, columns, unique=False, postgresql_ops={empty: "NULLS FIRST"} if first else {}
        )
