"""The portfolio: positions in the matrix, what is bought together, and classes of products; by examples of the books."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from crm.products.test_life import product, sold
from measured import Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics.cross_sell import cross_sell, rule_without
from trellis.crm.analytics.portfolio import portfolio, quadrant, relative_share
from trellis.crm.analytics.product_figures import refresh
from trellis.crm.analytics.window import Window
from trellis.errors import PermissionRefused
from trellis.kpi.periods import parse
from trellis.security.actor import Actor

YEAR = Window.of(parse("2026"))
NOW, THEN = date(2026, 3, 1), date(2025, 3, 1)
BASKETS = (
    ("bread", "milk"),
    ("bread", "diapers", "beer", "eggs"),
    ("milk", "diapers", "beer", "cola"),
    ("bread", "milk", "diapers", "beer"),
    ("bread", "milk", "diapers", "cola"),
)
"""The market basket transactions of Tan, Steinbach & Kumar, "Introduction to Data Mining", table 6.1."""


def category(book: Book, name: str, **values: Any) -> int:
    return book.records.create("category", {"name": name, **values}).id


def test_a_quadrant_follows_share_and_growth() -> None:
    """Own sales of 20 against 40 of the rival are a relative share of 0.5."""
    assert relative_share(Decimal(20), Decimal(40)) == 0.5
    assert relative_share(Decimal(20), None) is None
    places = {(1.0, 0.1): "star", (0.99, 0.1): "question_mark", (1.0, 0.0999): "cash_cow", (0.5, -0.2): "dog"}
    assert {at: quadrant(*at, 0.1, 1.0) for at in places} == places
    assert quadrant(None, 0.3, 0.1, 1.0) is None and quadrant(2.0, None, 0.1, 1.0) is None


def test_categories_take_what_is_known_of_their_market_and_a_stand_in_otherwise(book: Book) -> None:
    known = category(book, "Coffee", market_growth="0.25", rival_sales=40)
    plain, fresh = category(book, "Tea"), category(book, "Cocoa")
    product(book, "Arabica", (THEN, 50), (NOW, 20), category=known)
    product(book, "Green", (THEN, 100), (NOW, 80), category=plain)
    product(book, "Black", (NOW, 20), category=plain)
    product(book, "Bar", (NOW, 10), category=fresh)
    found = portfolio(book.session, book.edition, book.actor, YEAR)
    told = {
        one.name: (
            one.sales,
            one.relative,
            one.rival_of_market,
            one.growth,
            one.growth_of_market,
            one.quadrant,
        )
        for one in found.positions
    }
    assert told == {
        "Coffee": (20, 0.5, True, 0.25, True, "question_mark"),
        "Tea": (100, 5.0, False, 0.0, False, "cash_cow"),
        "Cocoa": (10, 0.1, False, None, False, None),
    }
    assert round(sum(one.share for one in found.positions), 6) == 1
    quarter = portfolio(book.session, book.edition, book.actor, Window.of(parse("2026-Q1")))
    assert next(one.relative for one in quarter.positions if one.name == "Coffee") == 2.0
    moved = portfolio(book.session, book.edition, book.actor, YEAR, "categories", -0.05, 0.4)
    assert [one.name for one in moved.of("star")] == ["Tea", "Coffee"]
    products = portfolio(book.session, book.edition, book.actor, YEAR, "products")
    assert {one.name: one.relative for one in products.positions} == {
        "Green": 4.0,
        "Black": 0.25,
        "Arabica": None,
        "Bar": None,
    }
    nobody = Actor(grants={"product": Grant("product", read=Scope.ALL)})
    with pytest.raises(PermissionRefused):
        portfolio(book.session, book.edition, nobody, YEAR)


def test_support_confidence_and_lift_are_those_of_the_book(book: Book) -> None:
    """Diapers and beer: 3 of 5 baskets hold both, 3 of 4 with diapers hold beer too, 1.25 times as often as by chance."""
    known = {name: product(book, name.title()) for name in {one for basket in BASKETS for one in basket}}
    customers = book.customers(5)
    for customer, basket in zip(customers, BASKETS, strict=True):
        order = book.order(customer, NOW.isoformat(), len(basket))
        for name in basket:
            line = {"order": order, "product": known[name], "quantity": 1, "price": 1}
            book.records.create("order_line", line)
    found = cross_sell(book.session, book.edition, book.actor, YEAR, "products")
    assert (found.baskets, [one.baskets for one in found.items]) == (5, [4, 4, 4, 3, 2, 1])
    pair = found.pairs[known["diapers"], known["beer"]]
    assert (pair.both, pair.support, pair.confidence, pair.lift, pair.without) == (3, 0.6, 0.75, 1.25, 1)
    assert [(one.first.name, one.second.name) for one in found.best] == [("Diapers", "Beer")]
    rule = rule_without(found, known["diapers"], known["beer"])
    listed = book.records.list("customer", rule=rule).items
    assert [one.id for one in listed] == [customers[4]]
    orders = cross_sell(book.session, book.edition, book.actor, YEAR, "products", "order", 2)
    assert (orders.baskets, len(orders.pairs)) == (5, 2)
    before = cross_sell(book.session, book.edition, book.actor, Window.of(parse("2025")), "products")
    assert (before.baskets, before.items, before.best, before.to_json()["pairs"]) == (0, [], [], [])


def test_categories_are_bought_together_and_returns_are_not_bought(book: Book) -> None:
    drinks, food = category(book, "Drinks"), category(book, "Food")
    tea, rye = product(book, "Tea", category=drinks), product(book, "Rye", category=food)
    anna, boris = book.customers(2)
    for customer, sales in ((anna, ((tea, 1), (rye, 1))), (boris, ((tea, 2), (rye, -1)))):
        order = book.order(customer, NOW.isoformat(), 1)
        for item, quantity in sales:
            line = {"order": order, "product": item, "quantity": quantity, "price": 1}
            book.records.create("order_line", line)
    found = cross_sell(book.session, book.edition, book.actor, YEAR)
    pair = found.pairs[drinks, food]
    assert (pair.both, pair.without, pair.lift) == (1, 1, 1.0)
    listed = book.records.list("customer", rule=rule_without(found, drinks, food)).items
    assert [one.id for one in listed] == [boris]
    agent = Actor(user_id=1, grants={"*": Grant("*", read=Scope.OWN)})
    assert cross_sell(book.session, book.edition, agent, YEAR).baskets == 0


def test_products_keep_the_class_that_the_analytics_give_them(book: Book) -> None:
    """400, 250, 150, 100, 60, 40 are A A A B B C: the fourth stands exactly on 80 %."""
    made = [product(book, f"P{place}") for place in range(6)]
    for one, amount in zip(made, (400, 250, 150, 100, 60, 40), strict=True):
        sold(book, one, NOW, amount)
    never = product(book, "Never")
    refresh(book.session, book.edition, date(2026, 6, 30))
    classes = [book.records.get("product", one).values["abc"] for one in (*made, never)]
    assert classes == ["A", "A", "A", "B", "B", "C", None]
    refresh(book.session, book.edition, date(2028, 6, 30))
    assert book.records.get("product", made[0]).values["abc"] is None
