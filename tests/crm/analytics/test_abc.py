"""ABC and XYZ: thresholds, ties, losses, months, who is too young, products, and for whom it is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from measured import LATER, Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics import product_figures
from trellis.crm.analytics.abc import Abc, Classed, abc, abc_items
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.items import CUSTOMERS, PRODUCTS, Items
from trellis.crm.analytics.window import LeftOut, Window
from trellis.crm.customers.entities import Customer
from trellis.errors import PermissionRefused, TrellisError
from trellis.kpi.periods import parse
from trellis.records.door import Write
from trellis.security.actor import Actor
from trellis.workspace import Workspace

YEAR = Window.of(parse("2026"))


def found(book: Book, measure: str | None = "revenue", items: Items = CUSTOMERS, **more: Any) -> Abc:
    window, today = more.get("window", YEAR), more.get("today", LATER)
    return abc(book.session, book.edition, book.actor, window, today, measure, items)


def lines(book: Book, measure: str = "revenue", items: Items = CUSTOMERS) -> list[Classed]:
    return list(abc_items(book.session, book.edition, book.actor, YEAR, LATER, measure, items))


def months(book: Book, customer: int, *amounts: Any) -> None:
    rows = [
        {"number": "R", "customer": customer, "ordered_at": f"2026-{month:02}-05", "amount": str(amount)}
        for month, amount in enumerate(amounts, 1)
        if amount
    ]
    book.records.save("order", [Write(values=row) for row in rows])


def test_an_item_that_stands_exactly_on_a_threshold_is_below_it(book: Book) -> None:
    """The example of metrics.md: 400, 250, 150, 100, 60, 40."""
    for customer, amount in zip(book.customers(6), (400, 250, 150, 100, 60, 40), strict=True):
        book.order(customer, "2026-03-01", amount)
    assert "".join(one.abc for one in lines(book)) == "AAABBC"
    answer = found(book).to_json()
    assert answer["classes"] == [
        {"class": "A", "customers": 3, "amount": "800.00", "share": 0.8},
        {"class": "B", "customers": 2, "amount": "160.00", "share": 0.16},
        {"class": "C", "customers": 1, "amount": "40.00", "share": 0.04},
    ]
    strict = book.assuming("abc", a_below="0.5", b_below="0.9")
    assert "".join(one.abc for one in lines(strict)) == "AABBCC"


def test_who_brings_nothing_or_a_loss_is_c(book: Book) -> None:
    good, even, bad = book.customers(3)
    book.order(good, "2026-03-01", "10")
    book.order(even, "2026-03-01", "0")
    book.order(bad, "2026-03-01", "-90")
    assert [(one.id, one.abc) for one in lines(book)] == [(good, "A"), (even, "C"), (bad, "C")]
    answer = found(book)
    assert (answer.without_profit, answer.of("A").share, answer.of("C").share) == (2, 1.0, -9.0)
    assert found(book, window=Window.of(parse("2020"))).to_json()["classes"][0] == {
        "class": "A",
        "customers": 0,
        "amount": "0.00",
        "share": None,
    }


def test_equal_items_are_ranked_by_id(book: Book) -> None:
    customers = book.customers(5)
    for customer in reversed(customers):
        book.order(customer, "2026-03-01", "10")
    assert [(one.id, one.abc) for one in lines(book)] == list(zip(customers, "AAAAB", strict=True))


def test_variation_is_of_the_whole_population_of_months(book: Book) -> None:
    """The example of metrics.md, three times over: 10, 12, 8, 10 gives 14.14 %."""
    steady, example, wild, edge, young, loss = book.customers(6)
    months(book, steady, *[10] * 12)
    months(book, example, *[10, 12, 8, 10] * 3)
    months(book, wild, *[30, 0, 0] * 4)
    months(book, edge, *[9, 11] * 6)
    months(book, young, 0, *[10] * 11)
    book.order(loss, "2025-03-01", "5")
    months(book, loss, -3)
    by_id = {one.id: one for one in lines(book)}
    assert [by_id[one].xyz for one in (steady, example, wild, edge, young, loss)] == [
        "X",
        "Y",
        "Z",
        "X",
        None,
        "Z",
    ]
    assert [by_id[one].variation for one in (steady, example, edge)] == [0, 0.141421, 0.1]
    assert (found(book).without_xyz, found(book).to_json()["xyz_months"]) == (1, 12)
    matrix = {(row["abc"], row["xyz"]): row["customers"] for row in found(book).to_json()["matrix"]}
    assert sum(matrix.values()) == 5
    assert {one.xyz for one in lines(book.assuming("abc", x_up_to="0.001", y_up_to="0.1"))} == {
        "X",
        "Y",
        "Z",
        None,
    }


def test_fewer_than_six_months_give_no_variation(book: Book) -> None:
    customer = book.customer()
    months(book, customer, *[10] * 12)
    running = found(book, today=date(2026, 6, 30))
    assert (running.without_xyz, running.to_json()["xyz_months"]) == (1, 0)
    assert found(book, today=date(2026, 7, 1)).of(xyz="X").items == 1
    assert found(book, window=Window.of(parse("2026-Q1"))).to_json()["xyz_months"] == 0
    rolling = Window.until(date(2026, 6, 17))
    assert (len(rolling.months), rolling.months[-1][1]) == (12, rolling.end)


def test_products_are_classed_by_the_lines_of_orders(book: Book) -> None:
    chair, table, lamp = (
        book.records.create("product", {"name": name}).id for name in ("Chair", "Table", "Lamp")
    )
    order = book.order(book.customer(), "2026-03-31T23:00:00+00:00", "0")
    for product, quantity, price, cost in ((chair, 10, 9, 1), (table, 1, 85, 80), (lamp, 1, 5, 1)):
        line = {"order": order, "product": product, "quantity": quantity, "price": price, "cost": cost}
        book.records.create("order_line", line)
    assert [(one.name, one.abc) for one in lines(book, "revenue", PRODUCTS)] == [
        ("Chair", "A"),
        ("Table", "A"),
        ("Lamp", "C"),
    ]
    assert [one.name for one in lines(book, "margin", PRODUCTS)] == ["Chair", "Table", "Lamp"]
    assert found(book, None, PRODUCTS).measure == "margin"


def test_other_currencies_count_at_their_rate_and_without_one_as_nothing(
    book: Book, workspace: Workspace
) -> None:
    values = {"currency": "USD", "since": "2026-02-01", "rate": "0.5"}
    book.records.create("exchange_rate", values)
    edition = workspace.edition(book.session)
    settings = replace(
        edition.settings, timezone="Europe/Prague"
    )  # SQLite writes its changes of the hour out
    book = Book(book.session, replace(edition, settings=settings, _cache={}), book.actor)
    euros, dollars, francs = book.customers(3)
    chair, table = (book.records.create("product", {"name": name}).id for name in ("Chair", "Table"))
    for customer, currency, product in (
        (euros, "EUR", chair),
        (dollars, "USD", table),
        (francs, "CHF", table),
    ):
        order = book.order(customer, "2026-03-01", None, currency=currency)
        line = {"order": order, "product": product, "quantity": 1, "price": 100, "cost": 40}
        book.records.create("order_line", line)
    placed = [(one.id, one.amount, one.abc) for one in lines(book)]
    assert placed == [(euros, 100, "A"), (dollars, 50, "A"), (francs, 0, "C")]
    assert [(one.name, one.amount) for one in lines(book, "revenue", PRODUCTS)] == [
        ("Chair", 100),
        ("Table", 50),
    ]
    assert [one.amount for one in lines(book, "margin", PRODUCTS)] == [60, 30]
    assert found(book, None, PRODUCTS).measure == "margin"
    francs_alone = LeftOut(currency="CHF", items=1, amount=Decimal(100))
    for items in (CUSTOMERS, PRODUCTS):
        complete = found(book, None, items).coverage
        assert (complete.other_currencies, complete.left_out) == (1, (francs_alone,))
    assert product_figures.refresh(book.session, book.edition, date(2026, 12, 31)) > 0
    # Who bought in euros a year ago, and in francs since, keeps no class of the euros.
    book.order(francs, "2025-03-01", "1000")
    kept = sa.select(Customer.abc).where(Customer.id == francs)
    found_ = []
    for day in (date(2025, 12, 31), date(2026, 12, 31)):
        refresh_customer_value(book.session, book.edition, day)
        found_.append(book.session.scalar(kept))
    assert found_ == ["A", "C"]


def test_a_reader_classes_the_own_customers(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine, other = book.customer(owner=boris), book.customer()
    book.order(mine, "2026-03-01", "1", owner=boris)
    book.order(other, "2026-03-01", "99")
    agent = book.seen_by(
        Actor(user_id=boris, grants={name: Grant(name, read=Scope.OWN) for name in ("customer", "order")})
    )
    assert [(one.id, one.abc) for one in lines(agent)] == [(mine, "A")]
    with pytest.raises(PermissionRefused):
        found(book.seen_by(Actor(user_id=boris)))
    with pytest.raises(PermissionRefused):
        found(agent, "revenue", PRODUCTS)
    with pytest.raises(TrellisError, match="margin or revenue"):
        found(book, "joy")
