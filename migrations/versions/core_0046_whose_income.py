"""whose the sales of the income rollup are"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint

revision = "core_0046"
down_revision = "core_0045"
branch_labels = None
depends_on = None

_BEFORE = ("day", "customer_id", "source", "currency")
_WHOSE = ("owner_id", "unit_id")
_AMOUNTS = ("revenue", "cost", "occasions")


def upgrade() -> None:
    """The rows stay, as sales of nobody: who sees everything counts as before, others nothing until all is counted anew.

    What changes in between is right at once, since a write counts its days whole.
    """
    whose = [
        sa.Column(name, BigId, autoincrement=False, nullable=False, server_default="0") for name in _WHOSE
    ]
    if op.get_bind().dialect.name == "postgresql":
        for column in whose:
            op.add_column("income_day", column)
            op.alter_column("income_day", column.name, server_default=None)
        op.drop_constraint("pk_income_day", "income_day", type_="primary")
        op.create_primary_key("pk_income_day", "income_day", [*_BEFORE, *_WHOSE])
    else:  # the rows are kept in the key itself
        _made_anew([*_BEFORE, *_WHOSE], ["0", "0"])
    op.execute("UPDATE measured SET sources = '', event_id = -1 WHERE name = 'customer_value'")


def downgrade() -> None:
    op.execute("DELETE FROM income_day")  # rows of several owners would be one
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_income_day", "income_day", type_="primary")
        for name in _WHOSE:
            op.drop_column("income_day", name)
        op.create_primary_key("pk_income_day", "income_day", list(_BEFORE))
    else:
        _made_anew(list(_BEFORE), [])
    op.execute("UPDATE measured SET sources = '', event_id = -1 WHERE name = 'customer_value'")


def _made_anew(key: list[str], values: list[str]) -> None:
    op.drop_index("ix_income_day_customer_id_day", "income_day")
    op.rename_table("income_day", "income_day_before")
    op.create_table(
        "income_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *(sa.Column(name, BigId, autoincrement=False, nullable=False) for name in key[len(_BEFORE) :]),
        sa.Column("revenue", FixedPoint(), nullable=False),
        sa.Column("cost", FixedPoint(), nullable=True),
        sa.Column("occasions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_income_day_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_income_day")),
        sqlite_with_rowid=False,
    )
    columns = ", ".join([*key, *_AMOUNTS])
    given = ", ".join([*_BEFORE, *values, *_AMOUNTS])
    op.execute(
        f"INSERT INTO income_day ({columns}) SELECT {given} FROM income_day_before ORDER BY day, customer_id"
    )
    op.drop_table("income_day_before")
    op.create_index("ix_income_day_customer_id_day", "income_day", ["customer_id", "day"])
