"""KPIs of sales: revenue and orders, the funnel, leads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Kpi, Level, Unit
from trellis.crm.products.entities import Product
from trellis.crm.sales.entities import Lead, Opportunity, Order, OrderLine
from trellis.i18n import translator
from trellis.kpi.arithmetic import average, product, ratio
from trellis.kpi.query import KpiQuery

_ = translator("trellis")

RESULT = Cell(Direction.SALES, Level.TACTICS, "SA5")
FUNNEL = Cell(Direction.SALES, Level.TACTICS, "SA3")


def _orders(q: KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(Order.ordered_at), q.visible(Order))


def _lines(q: KpiQuery, value: Any) -> sa.Select[Any]:
    """Lines of orders, with their product where there is one."""
    sold = sa.and_(Product.id == OrderLine.product_id, Product.deleted_at.is_(None))
    lines = sa.select(value).select_from(OrderLine).join(Order, Order.id == OrderLine.order_id)
    there = (q.during(Order.ordered_at), q.visible(OrderLine), Order.deleted_at.is_(None))
    return lines.outerjoin(Product, sold).where(*there)


OF_LINES = {
    "category": Product.category_id,
    "product": OrderLine.product_id,
    "channel": Order.channel,
    "unit": Order.unit_id,
    "person": Order.owner_id,
}


def _margin(q: KpiQuery) -> sa.Select[Any]:
    return _orders(q, sa.func.sum(q.money(Order.amount - Order.cost, Order.currency)))


def _average_order(q: KpiQuery) -> sa.Select[Any]:
    amount = q.money(Order.amount)
    bought = amount >= 0
    return _orders(q, average(sa.func.sum(amount), sa.func.count().filter(bought)))


def _closed(q: KpiQuery, value: Any) -> sa.Select[Any]:
    closed = Opportunity.outcome.in_(("won", "lost"))
    return sa.select(value).where(q.during(Opportunity.closed_at), q.visible(Opportunity), closed)


def _won(q: KpiQuery, value: Any) -> sa.Select[Any]:
    won = Opportunity.outcome == "won"
    return sa.select(value).where(q.during(Opportunity.closed_at), q.visible(Opportunity), won)


def _pipeline(q: KpiQuery) -> sa.Select[Any]:
    weighted = product(Opportunity.amount, sa.func.coalesce(Opportunity.probability, 0))
    value = q.total(weighted, Opportunity.currency)
    is_open = Opportunity.outcome == "open"
    return sa.select(value).where(q.during(Opportunity.expected_close), q.visible(Opportunity), is_open)


def _open(q: KpiQuery) -> sa.Select[Any]:
    still_open = sa.or_(Opportunity.closed_at.is_(None), Opportunity.closed_at >= q.end)
    unfinished = sa.or_(Opportunity.outcome == "open", Opportunity.closed_at.is_not(None))
    begun = q.before_end(Opportunity.created_at)
    return sa.select(sa.func.count()).where(q.visible(Opportunity), begun, still_open, unfinished)


def _leads(q: KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(Lead.created_at), q.visible(Lead))


KPIS = [
    Kpi(
        name="revenue",
        title=_("Revenue"),
        cell=RESULT,
        formula=_(
            "Sum of the amounts of orders by the day of the order; returns reduce it in the period they happen"
        ),
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        select=lambda q: _orders(q, q.total(Order.amount)),
    ),
    Kpi(
        name="margin",
        title=_("Margin"),
        cell=RESULT,
        formula=_("Sum of amount minus cost of the orders whose cost is known"),
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        select=_margin,
    ),
    Kpi(
        name="orders",
        title=_("Orders"),
        cell=RESULT,
        formula=_("Number of orders without returns (orders with a negative amount)"),
        entity=Order,
        date=Order.ordered_at,
        select=lambda q: _orders(q, sa.func.count()).where(sa.or_(Order.amount >= 0, Order.amount.is_(None))),
        rule={"any": [{"field": "amount", "op": "gte", "value": 0}, {"field": "amount", "op": "is_empty"}]},
    ),
    Kpi(
        name="product_sales",
        title=_("Sales of products"),
        cell=RESULT,
        formula=_("Sum of the amounts of order lines by the day of their order; returned goods reduce it"),
        unit=Unit.MONEY,
        entity=OrderLine,
        date=Order.ordered_at,
        select=lambda q: _lines(q, q.total(OrderLine.amount, Order.currency)),
        breakdowns=OF_LINES,
    ),
    Kpi(
        name="products_sold",
        title=_("Products sold"),
        cell=RESULT,
        formula=_("Sum of the quantities of order lines by the day of their order; returned goods reduce it"),
        unit=Unit.COUNT,
        entity=OrderLine,
        date=Order.ordered_at,
        select=lambda q: _lines(q, sa.func.coalesce(sa.func.sum(OrderLine.quantity), 0)),
        breakdowns=OF_LINES,
    ),
    Kpi(
        name="average_order",
        title=_("Average order"),
        cell=RESULT,
        formula=_(
            "Revenue divided by the number of orders; returns reduce the revenue and are not counted as orders"
        ),
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        select=_average_order,
    ),
    Kpi(
        name="win_rate",
        title=_("Win rate"),
        cell=RESULT,
        formula=_(
            "Won opportunities divided by won and lost ones, by the day they were closed; open ones are left out"
        ),
        unit=Unit.PERCENT,
        entity=Opportunity,
        date=Opportunity.closed_at,
        select=lambda q: _closed(
            q, ratio(sa.func.count().filter(Opportunity.outcome == "won"), sa.func.count())
        ),
        breakdowns={"funnel": Opportunity.funnel, "product": Opportunity.product_id},
        rule={"field": "outcome", "op": "in", "value": ["won", "lost"]},
    ),
    Kpi(
        name="sales_won",
        title=_("Won sales"),
        cell=RESULT,
        formula=_("Sum of the amounts of won opportunities, by the day they were closed"),
        unit=Unit.MONEY,
        entity=Opportunity,
        date=Opportunity.closed_at,
        select=lambda q: _won(q, q.total(Opportunity.amount)),
        breakdowns={"funnel": Opportunity.funnel, "product": Opportunity.product_id},
        rule={"field": "outcome", "op": "eq", "value": "won"},
    ),
    Kpi(
        name="pipeline_weighted",
        title=_("Weighted pipeline"),
        cell=FUNNEL,
        formula=_("Sum of amount times probability of open opportunities expected to close in the period"),
        unit=Unit.MONEY,
        entity=Opportunity,
        date=Opportunity.expected_close,
        select=_pipeline,
        rule={"field": "outcome", "op": "eq", "value": "open"},
        breakdowns={
            "funnel": Opportunity.funnel,
            "stage": Opportunity.stage,
            "product": Opportunity.product_id,
        },
    ),
    Kpi(
        name="open_opportunities",
        title=_("Open opportunities"),
        cell=FUNNEL,
        formula=_("Opportunities made before the end of the period and not closed by then"),
        entity=Opportunity,
        select=_open,
        breakdowns={"funnel": Opportunity.funnel, "product": Opportunity.product_id},
    ),
    Kpi(
        name="leads_created",
        title=_("New leads"),
        cell=FUNNEL,
        formula=_("Leads made in the period"),
        entity=Lead,
        date=Lead.created_at,
        select=lambda q: _leads(q, sa.func.count()),
        breakdowns={"source": Lead.source},
    ),
    Kpi(
        name="lead_conversion",
        title=_("Lead conversion"),
        cell=FUNNEL,
        formula=_("Of the leads made in the period, those that are qualified by now"),
        unit=Unit.PERCENT,
        entity=Lead,
        date=Lead.created_at,
        select=lambda q: _leads(q, ratio(sa.func.count().filter(Lead.stage == "qualified"), sa.func.count())),
        breakdowns={"source": Lead.source},
    ),
]
