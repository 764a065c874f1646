"""What can be classed by ABC and XYZ: customers by their income, products by the lines of orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.window import (
    MARGIN,
    Coverage,
    LeftOut,
    Window,
    coverage,
    first_purchases,
    income_rows,
    summed,
)
from trellis.crm.customers.entities import Customer
from trellis.crm.products.entities import Product
from trellis.crm.sales.entities import Order, OrderLine
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.kpi import rates
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import midnight
from trellis.records.days import local_day
from trellis.records.types import FixedPoint
from trellis.security.actor import Actor

_day = INCOME_DAY.c


@dataclass(frozen=True, kw_only=True)
class Items:
    """One kind of thing that brings money.

    ``amounts`` selects (item_id, day, amount) of a window by a measure; ``known`` selects (item_id, first), the day of
    the first sale ever; ``named`` the entity whose records the items are; ``covered`` how complete the amounts of a
    window are; ``check`` raises PermissionRefused for a reader who may not see the figures.
    """

    named: type[Customer] | type[Product]
    amounts: Callable[[Edition, Actor, Window, str], sa.Select[Any]]
    known: Callable[[Edition, Actor], sa.Select[Any]]
    covered: Callable[[Session, Edition, Actor, Window], Coverage]
    check: Callable[[Edition, Actor], None]


def _customer_amounts(edition: Edition, actor: Actor, window: Window, measure: str) -> sa.Select[Any]:
    """Who bought in a currency without a rate is classed by 0, as the pyramid ranks them."""
    amount = _day.revenue - _day.cost if measure == MARGIN else _day.revenue
    own = _day.currency == edition.settings.currency
    return sa.select(
        _day.customer_id.label("item_id"),
        _day.day.label("day"),
        sa.func.coalesce(sa.case((own, amount)), sa.literal(0, FixedPoint())).label("amount"),
    ).where(*income_rows(edition, actor, window))


def _customers_known(edition: Edition, actor: Actor) -> sa.Select[Any]:
    known = first_purchases(edition, actor).c
    return sa.select(known.id.label("item_id"), known.first_order_at.label("first"))


def _customers_checked(edition: Edition, actor: Actor) -> None:
    actor.require("customer", "read")


def _product_amounts(edition: Edition, actor: Actor, window: Window, measure: str) -> sa.Select[Any]:
    amount = OrderLine.amount - OrderLine.cost_amount if measure == MARGIN else OrderLine.amount
    row = _sold(edition, actor, amount, ordered(edition, window))
    summed = sa.func.coalesce(_in_own_currency(edition, row), sa.literal(0, FixedPoint()))
    return sa.select(row.item_id, row.day, summed.label("amount")).where(_is_counted(edition, row))


def _products_covered(session: Session, edition: Edition, actor: Actor, window: Window) -> Coverage:
    row = _sold(edition, actor, OrderLine.amount, ordered(edition, window))
    counted = _is_counted(edition, row)
    size = sa.func.abs(sa.case((counted, _in_own_currency(edition, row))), type_=FixedPoint())
    known = sa.case((row.cost.is_not(None), size))
    query = sa.select(sa.func.sum(size), sa.func.sum(known), sa.func.count().filter(sa.not_(counted)))
    whole, part, foreign = session.execute(query).one()
    left_out: tuple[LeftOut, ...] = ()
    if foreign:
        others = sa.select(row.item_id, row.currency, row.amount).where(sa.not_(counted))
        left_out = summed(session, others)
    return Coverage(float((part or 0) / whole) if whole else None, foreign, left_out)


def ordered(edition: Edition, window: Window) -> sa.ColumnElement[bool]:
    """Orders of the window."""
    zone = ZoneInfo(edition.settings.timezone)
    return sa.and_(
        Order.ordered_at >= midnight(window.first, zone), Order.ordered_at < midnight(window.end, zone)
    )


def _products_known(edition: Edition, actor: Actor) -> sa.Select[Any]:
    row = _sold(edition, actor, OrderLine.amount)
    first = sa.func.min(row.day, type_=sa.Date())
    counted = sa.select(row.item_id, first.label("first")).where(_is_counted(edition, row))
    return counted.group_by(row.item_id)


def _sold(edition: Edition, actor: Actor, amount: Any, *where: sa.ColumnElement[bool]) -> Any:
    """Lines of products as rows of their own: lines, orders and products that the reader may see.

    In a subquery, as SQLite writes a day out by the changes of the zone, and could not read it within each rate.
    """
    rows = sa.select(
        OrderLine.product_id.label("item_id"),
        local_day(Order.ordered_at, edition.settings.timezone).label("day"),
        sa.func.coalesce(Order.currency, edition.settings.currency).label("currency"),
        amount.label("amount"),
        OrderLine.cost_amount.label("cost"),
    ).where(
        Order.id == OrderLine.order_id,
        Product.id == OrderLine.product_id,
        *(one.deleted_at.is_(None) for one in (OrderLine, Order, Product)),
        *(actor.visible(one) for one in (OrderLine, Order, Product)),
        *where,
    )
    return rows.subquery("sold").c


def _is_counted(edition: Edition, row: Any) -> sa.ColumnElement[bool]:
    """The line is in the workspace's currency, or one with a rate of the day."""
    return sa.not_(rates.is_foreign(edition, row.currency, row.day))


def _in_own_currency(edition: Edition, row: Any) -> sa.ColumnElement[Decimal]:
    return rates.converted(edition, row.amount, row.currency, row.day)


def _products_checked(edition: Edition, actor: Actor) -> None:
    for name in ("product", "order", "order_line"):
        actor.require(name, "read")
    seen = actor.sees(edition).entities
    needed = {"order_line": ("amount", "cost_amount", "product"), "order": ("ordered_at", "currency")}
    if any(field not in seen[entity].fields for entity, names in needed.items() for field in names):
        raise PermissionRefused()


CUSTOMERS = Items(
    named=Customer,
    amounts=_customer_amounts,
    known=_customers_known,
    covered=coverage,
    check=_customers_checked,
)
PRODUCTS = Items(
    named=Product,
    amounts=_product_amounts,
    known=_products_known,
    covered=_products_covered,
    check=_products_checked,
)
KINDS = {"customers": CUSTOMERS, "products": PRODUCTS}
"""What can be classed, by name."""
