"""The core's source of income: orders."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, IncomeSource, Level, Watch
from trellis.crm.sales.entities import Order
from trellis.i18n import translator
from trellis.kpi.income import IncomeQuery

_ = translator("trellis")


def orders(q: IncomeQuery) -> sa.Select[Any]:
    """Amount and cost of orders per customer and day; a negative order is a return, not a purchase."""
    columns: list[Any] = [
        Order.customer_id,
        q.day(Order.ordered_at),
        q.currency(Order.currency),
        sa.func.sum(Order.amount),
        q.known_sum(Order.cost),
        q.purchases(Order.amount),
    ]
    return sa.select(*columns).where(
        Order.deleted_at.is_(None), q.touched(Order.customer_id, Order.ordered_at)
    )


ORDERS = IncomeSource(
    name="orders",
    title=_("Orders"),
    description=_("Amounts and costs of orders, by the day of the order"),
    cell=Cell(Direction.CUSTOMERS, Level.TACTICS, "AN4"),
    select=orders,
    entity=Order,
    watches={
        "order": Watch(customer="customer", date="ordered_at"),
        "order_line": Watch(customer="order.customer", date="order.ordered_at"),
    },
)
