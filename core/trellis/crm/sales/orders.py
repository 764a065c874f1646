"""Orders follow their lines: amount, cost and number of lines are sums over them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.crm.sales.entities import Order, OrderLine
from trellis.records.events import BeforeSave, Saved
from trellis.records.types import Money


def fill_line(event: BeforeSave) -> None:
    """Keeps what a line comes to: quantity times price, and times cost, to four digits."""
    line = {**event.before, **event.values}
    for one, total in (("price", "amount"), ("cost", "cost_amount")):
        known = line.get("quantity") is not None and line.get(one) is not None
        event.values[total] = Money().check(line["quantity"] * line[one]) if known else None


def total(event: Saved) -> None:
    """Sums the lines of the orders that were touched, in one statement."""
    touched = sa.select(OrderLine.order_id).where(OrderLine.id.in_(event.ids))
    left = {change.changes["order"][0] for change in event.changes if "order" in change.changes} - {None}
    event.session.execute(
        sa.update(Order)
        .where(sa.or_(Order.id.in_(touched), Order.id.in_(sorted(left))))
        .values(
            amount=_over_lines(sa.func.sum(OrderLine.amount)),
            cost=_over_lines(sa.func.sum(OrderLine.cost_amount)),
            lines_count=_over_lines(sa.func.count()),
        ),
        execution_options={"synchronize_session": False},
    )


def _over_lines(aggregate: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    lines = sa.select(aggregate).where(OrderLine.order_id == Order.id, OrderLine.deleted_at.is_(None))
    return lines.correlate(Order).scalar_subquery()
