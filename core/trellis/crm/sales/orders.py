"""Orders follow their lines: amount, cost and number of lines are sums over them."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.crm.products.amounts import sum_of
from trellis.crm.sales.entities import Order, OrderLine
from trellis.crm.sales.lines import Totals, net
from trellis.records.events import BeforeSave

TOTALS = Totals(
    of=Order,
    lines=OrderLine,
    field="order",
    sums={
        "amount": sa.func.sum(OrderLine.amount),
        "cost": sa.func.sum(OrderLine.cost_amount),
        "lines_count": sa.func.count(),
    },
)


def fill_line(event: BeforeSave) -> None:
    """Keeps what a line comes to: quantity times price, and times cost, to four digits.

    A line with a discount, as those of quotes are, comes to whole coins.
    """
    line = {**event.before, **event.values}
    for one, total in (("price", "amount"), ("cost", "cost_amount")):
        known = line.get("quantity") is not None and line.get(one) is not None
        event.values[total] = sum_of((line["quantity"], line[one])) if known else None
    if line.get("discount") is not None:
        query = sa.select(Order.currency).where(Order.id == line.get("order"))
        event.values["amount"] = net(line, event.session.scalar(query) or event.edition.settings.currency)
