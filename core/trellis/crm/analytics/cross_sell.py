"""What is bought together (PR3): support, confidence and lift of each pair of products or categories.

A basket is a customer in the period, or one order. Support is the share of baskets that hold both, confidence the share of those with
the first that hold the second too, lift the confidence by the share of baskets with the second: 1 is chance. Source: Agrawal,
Imielinski & Swami, "Mining association rules between sets of items in large databases", SIGMOD 1993. Three statements, however many
orders there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.items import ordered
from trellis.crm.analytics.portfolio import CATEGORIES, OF_PRODUCTS
from trellis.crm.analytics.window import Window, customers_of
from trellis.crm.customers.entities import Customer
from trellis.crm.products.entities import Category, Product
from trellis.crm.sales.entities import Order, OrderLine
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.security.actor import Actor

CUSTOMER, ORDER = "customer", "order"
BASKETS = (CUSTOMER, ORDER)
ITEMS = 12
FEWEST = 3
"""Baskets with both below which a pair is chance rather than advice."""
_READ = {
    "order_line": ("product", "quantity", "order"),
    "order": ("ordered_at", "customer"),
    "product": ("category",),
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A product or a category, and in how many baskets it is."""

    id: int
    name: str
    baskets: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Who has the first and also the second: ``both`` baskets of ``whole``."""

    first: Item
    second: Item
    both: int
    whole: int

    @property
    def support(self) -> float:
        """The share of baskets that hold both."""
        return self.both / self.whole

    @property
    def confidence(self) -> float:
        """The share of baskets with the first that hold the second."""
        return self.both / self.first.baskets

    @property
    def lift(self) -> float:
        """How many times as often as by chance."""
        return self.confidence * self.whole / self.second.baskets

    @property
    def without(self) -> int:
        """Baskets with the first and without the second."""
        return self.first.baskets - self.both

    def to_json(self) -> dict[str, Any]:
        """One of ``pairs``."""
        return {
            "first": self.first.id,
            "second": self.second.id,
            "both": self.both,
            "support": round(self.support, 6),
            "confidence": round(self.confidence, 6),
            "lift": round(self.lift, 6),
            "without": self.without,
        }


@dataclass(frozen=True, kw_only=True)
class CrossSell:
    """The pairs of the items that most baskets hold."""

    window: Window
    of: str
    by: str
    baskets: int
    items: Sequence[Item]
    pairs: Mapping[tuple[int, int], Pair]

    @property
    def best(self) -> list[Pair]:
        """Pairs that are more than chance, the highest lift first."""
        found = [one for one in self.pairs.values() if one.both >= FEWEST and one.lift > 1 and one.without]
        return sorted(found, key=lambda one: (-one.lift, -one.both, one.first.name, one.second.name))

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics cross_sell``."""
        return {
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "of": self.of,
            "by": self.by,
            "baskets": self.baskets,
            "items": [
                {
                    "id": one.id,
                    "name": one.name,
                    "baskets": one.baskets,
                    "support": round(one.baskets / self.baskets, 6),
                }
                for one in self.items
            ],
            "pairs": [one.to_json() for one in self.pairs.values()],
        }


def cross_sell(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    of: str = CATEGORIES,
    by: str = CUSTOMER,
    most: int = ITEMS,
) -> CrossSell:
    """The ``most`` usual items and their pairs, as far as the reader sees orders. Raises PermissionRefused."""
    _require(edition, actor)
    bought = _bought(edition, actor, window, of, by)
    held = bought.subquery("held").c
    named = Product if of == OF_PRODUCTS else Category
    number = sa.func.count().label("baskets")
    counted = sa.select(held.item, number).group_by(held.item).order_by(number.desc(), held.item).limit(most)
    top = counted.subquery("top").c
    titles = sa.select(top.item, named.name, top.baskets).join(named, named.id == top.item)
    items = {
        row[0]: Item(id=row[0], name=row[1], baskets=row[2])
        for row in session.execute(titles.order_by(top.baskets.desc(), top.item))
    }
    whole = session.scalar(sa.select(sa.func.count(held.basket.distinct()))) or 0
    return CrossSell(
        window=window,
        of=of,
        by=by,
        baskets=whole,
        items=list(items.values()),
        pairs=_pairs(session, bought, items, whole),
    )


def _require(edition: Edition, actor: Actor) -> None:
    for name in ("customer", "category", *_READ):
        actor.require(name, "read")
    seen = actor.sees(edition).entities
    if any(field not in seen[entity].fields for entity, names in _READ.items() for field in names):
        raise PermissionRefused()


def _bought(edition: Edition, actor: Actor, window: Window, of: str, by: str) -> sa.Select[Any]:
    """What was bought in the window, each item of a basket once; returns are not."""
    basket: Any = Order.customer_id if by == CUSTOMER else Order.id
    item: Any = OrderLine.product_id if of == OF_PRODUCTS else Product.category_id
    conditions = [
        Order.id == OrderLine.order_id,
        Product.id == OrderLine.product_id,
        OrderLine.quantity > 0,
        ordered(edition, window),
        *(one.deleted_at.is_(None) for one in (OrderLine, Order, Product)),
        *(actor.visible(one) for one in (OrderLine, Order, Product)),
    ]
    if by == CUSTOMER:
        conditions += [Customer.id == Order.customer_id, customers_of(actor)]
    if of == CATEGORIES:
        conditions += [
            Category.id == Product.category_id,
            Category.deleted_at.is_(None),
            actor.visible(Category),
        ]
    return sa.select(basket.label("basket"), item.label("item")).where(*conditions).distinct()


def _pairs(
    session: Session, bought: sa.Select[Any], items: Mapping[int, Item], whole: int
) -> dict[tuple[int, int], Pair]:
    """Each two of the items, in both directions."""
    held = bought.subquery("held")
    few = sa.select(held.c.basket, held.c.item).where(held.c.item.in_(list(items))).cte("few")
    first, second = few.alias("first"), few.alias("second")
    query = (
        sa.select(first.c.item, second.c.item, sa.func.count())
        .join_from(first, second, sa.and_(first.c.basket == second.c.basket, first.c.item < second.c.item))
        .group_by(first.c.item, second.c.item)
    )
    together = {(row[0], row[1]): row[2] for row in session.execute(query)} if items else {}
    return {
        (one.id, other.id): Pair(
            first=one,
            second=other,
            both=together.get((min(one.id, other.id), max(one.id, other.id)), 0),
            whole=whole,
        )
        for one in items.values()
        for other in items.values()
        if one.id != other.id
    }


def rule_without(found: CrossSell, first: int, second: int) -> dict[str, Any]:
    """The rule of lists for customers who bought the first in the period, and not the second."""
    return {"all": [_has(found, first), {"not": _has(found, second)}]}


def _has(found: CrossSell, item: int) -> dict[str, Any]:
    field = "product" if found.of == OF_PRODUCTS else "product.category"
    of_it = [{"field": field, "op": "eq", "value": item}, {"field": "quantity", "op": "gt", "value": 0}]
    days: list[date] = [found.window.first, found.window.last]
    line = {"related": "order_line.order", "op": "gte", "value": 1, "where": {"all": of_it}}
    during = {"field": "ordered_at", "op": "between", "value": [day.isoformat() for day in days]}
    return {"related": "order.customer", "op": "gte", "value": 1, "where": {"all": [during, line]}}
