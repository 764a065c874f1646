"""The income rollup follows each write, and is always what a rebuild would make of the records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured import Book
from sqlalchemy.orm import Session
from trellis.contributions import Grant, IncomeSource, Role, Scope
from trellis.i18n import Text
from trellis.kpi.income import Touched, _insert
from trellis.records.door import Write
from trellis.security.actor import Actor, merge_grants
from trellis.workspace import Workspace


def in_zone(workspace: Workspace, session: Session, zone: str) -> Book:
    edition = workspace.edition(session)
    return Book(session, replace(edition, settings=replace(edition.settings, timezone=zone), _cache={}))


def test_purchases_of_a_day_are_one_row(book: Book) -> None:
    anna, boris = book.customer("Anna"), book.customer("Boris")
    book.order(anna, "2026-03-01", "10.10", cost="4")
    book.order(anna, "2026-03-01T09:00", "0.20", cost="0.1")
    book.order(anna, "2026-03-02", "5")
    book.order(boris, "2026-03-01", "7")
    assert [row[:7] for row in book.rollup()] == [
        (date(2026, 3, 1), anna, "orders", "EUR", Decimal("10.3"), Decimal("4.1"), 2),
        (date(2026, 3, 1), boris, "orders", "EUR", Decimal("7"), None, 1),
        (date(2026, 3, 2), anna, "orders", "EUR", Decimal("5"), None, 1),
    ]


def test_a_day_is_that_of_the_workspace(workspace: Workspace) -> None:
    with workspace.write() as session:
        book = in_zone(workspace, session, "Asia/Tokyo")
        book.order(book.customer(), "2026-03-01T16:00", "1")
        assert [row[0] for row in book.rollup()] == [date(2026, 3, 2)]


def test_the_cost_of_a_day_is_unknown_when_that_of_one_purchase_is(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01", "10", cost="4")
    book.order(anna, "2026-03-01", "10")
    assert [row[5] for row in book.rollup()] == [None]


def test_a_return_reduces_revenue_and_is_no_purchase(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01", "10")
    book.order(anna, "2026-03-01", "-4")
    book.order(anna, "2026-03-05", "-1")
    assert [(row[4], row[6]) for row in book.rollup()] == [(Decimal(6), 1), (Decimal(-1), 0)]


def test_what_has_no_customer_is_not_in_the_rollup(book: Book) -> None:
    book.order(None, "2026-03-01", "10")
    assert book.rollup() == []


def test_currencies_are_kept_apart(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01", "10")
    book.order(anna, "2026-03-01", "20", currency="USD")
    book.order(anna, "2026-03-01", "1", currency="EUR")
    assert [(row[3], row[4]) for row in book.rollup()] == [("EUR", Decimal(11)), ("USD", Decimal(20))]


def test_an_order_that_moves_takes_its_income_along(book: Book) -> None:
    anna, boris = book.customer("Anna"), book.customer("Boris")
    order = book.order(anna, "2026-03-01", "10")
    book.records.update("order", order, {"customer": boris, "ordered_at": "2026-04-01T00:00:00Z"})
    assert [row[:2] for row in book.rollup()] == [(date(2026, 4, 1), boris)]
    book.records.update("order", order, {"customer": None})
    assert book.rollup() == []


def test_lines_change_the_income_of_their_order(book: Book) -> None:
    anna, boris = book.customer("Anna"), book.customer("Boris")
    first, second = book.order(anna, "2026-03-01", None), book.order(boris, "2026-03-02", None)
    line = book.records.create("order_line", {"order": first, "quantity": 2, "price": "5", "cost": "3"}).id
    book.records.create("order_line", {"order": first, "quantity": 1, "price": "1", "cost": "1"})
    assert book.rollup()[0][1:6] == (anna, "orders", "EUR", Decimal(11), Decimal(7))
    book.records.update("order_line", line, {"order": second})
    assert {row[1]: row[4] for row in book.rollup()} == {anna: Decimal(1), boris: Decimal(10)}
    book.records.delete("order_line", line)
    assert {row[1]: row[4] for row in book.rollup()} == {anna: Decimal(1), boris: Decimal(0)}
    assert book.rollup() == book.rebuilt()


def test_a_customer_in_the_bin_has_no_income_until_restored(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01", "10")
    book.order(anna, "2025-03-01", "5")
    before = book.rollup()
    book.records.delete("customer", anna)
    assert book.rollup() == [] == book.rebuilt()
    book.records.restore("customer", anna)
    assert book.rollup() == before


def test_a_batch_is_counted_once_and_whole(book: Book) -> None:
    customers = book.customers(7)
    rows = [
        {
            "number": str(n),
            "customer": customers[n % 7],
            "ordered_at": f"2026-03-{n % 28 + 1:02}T10:00:00Z",
            "amount": n,
        }
        for n in range(1200)
    ]
    book.records.save("order", [Write(values=row) for row in rows])
    assert sum(row[4] for row in book.rollup()) == sum(range(1200))
    assert book.rollup() == book.rebuilt()


def test_what_a_batch_touched_is_looked_up_and_nothing_else_is_read(book: Book, database: str) -> None:
    if database != "sqlite":
        pytest.skip("the plan is SQLite's")
    customers = book.customers(50)
    for customer in customers:
        book.order(customer, "2026-03-05")
    by_customer = "idx = 'ix_order_customer_ordered_at'"
    for many in (  # plans as for that many orders, five of each customer
        "ANALYZE",
        "UPDATE sqlite_stat1 SET stat = '3333333' || substr(stat, instr(stat || ' ', ' ')) WHERE tbl = 'order'",
        f"UPDATE sqlite_stat1 SET stat = '3333333 5 1' WHERE {by_customer}",
        "ANALYZE sqlite_schema",
    ):
        book.session.execute(sa.text(many))
    days = [date(2026, 3, day) for day in range(1, 11)]
    touched = Touched(days=tuple((customer, day) for customer in customers for day in days))
    statement = _insert(book.edition, book.edition.all(IncomeSource)["orders"], touched)
    options = {"literal_binds": True}
    sql = statement.compile(dialect=book.session.get_bind().dialect, compile_kwargs=options)
    plan = [row[3] for row in book.session.execute(sa.text(f"EXPLAIN QUERY PLAN {sql}".replace(":", "\\:")))]
    assert any("SEARCH order USING INDEX ix_order_customer_ordered_at" in step for step in plan), plan
    assert not any("BLOOM FILTER ON order" in step or "SCAN order" in step for step in plan), plan


def test_writes_for_one_customer_at_the_same_time_are_both_counted(workspace: Workspace) -> None:
    def buy(customer: int, ready: Barrier) -> None:
        ready.wait()
        for _number in range(5):
            with workspace.write() as session:
                Book(session, workspace.edition(session)).order(customer, "2026-03-01", "10")

    with workspace.write() as session:
        anna = Book(session, workspace.edition(session)).customer()
    ready = Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(buy, anna, ready) for _buyer in range(3)]:
            done.result()
    with workspace.read() as session:
        (row,) = Book(session, workspace.edition(session)).rollup()
    assert (row[4], row[6]) == (150, 15)


# --- Rebuild equals incremental, whatever happened ---

step = st.one_of(
    st.tuples(
        st.just("create"),
        st.integers(0, 3),
        st.integers(0, 5),
        st.integers(-500, 5000),
        st.sampled_from([None, "USD"]),
    ),
    st.tuples(st.just("move"), st.integers(0, 30), st.integers(0, 3), st.integers(0, 5)),
    st.tuples(st.just("give"), st.integers(0, 30), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("price"), st.integers(0, 30), st.integers(-500, 5000)),
    st.tuples(st.just("line"), st.integers(0, 30), st.integers(1, 3), st.integers(0, 900)),
    st.tuples(st.just("move line"), st.integers(0, 30), st.integers(0, 30)),
    st.tuples(st.just("delete"), st.integers(0, 30)),
    st.tuples(st.just("restore"), st.integers(0, 30)),
    st.tuples(st.just("delete customer"), st.integers(0, 3)),
    st.tuples(st.just("restore customer"), st.integers(0, 3)),
)
DAYS = [
    "2026-02-27T23:30",
    "2026-03-01T00:30",
    "2026-03-01T12:00",
    "2026-03-29T00:59",
    "2026-10-25T22:30",
    "2027-01-01T00:00",
]


class Shop:
    """Plays steps against a book; a step that makes no sense now is skipped."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.people = [book.person(name) for name in ("Petra", "Paul")]
        self.units = [book.records.create("unit", {"name": name}).id for name in ("North", "South")]
        places: list[dict[str, Any]] = [{"unit": one, "owner": self.people[0]} for one in self.units]
        self.customers = [book.customer(**place) for place in [*places, {}, {"owner": self.people[1]}]]
        self.gone: set[int] = set()
        self.orders: list[int] = []
        self.binned: set[int] = set()
        self.lines: list[int] = []

    def reader(self, customers: Scope, orders: Scope) -> Book:
        """The first of the people, in the first unit."""
        rights = [Grant("customer", read=customers), Grant("order", read=orders)]
        grants = merge_grants([Role(name="r", title=Text("r"), grants=rights)])
        return self.book.seen_by(Actor(user_id=self.people[0], units=(self.units[0],), grants=grants))

    def give(self, order: int, person: int, unit: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None:
            whose = {"owner": [*self.people, None][person], "unit": [*self.units, None][unit]}
            self.book.records.update("order", found, whose)

    def play(self, what: str, *arguments: Any) -> None:
        getattr(self, what.replace(" ", "_"))(*arguments)

    def pick(self, known: list[int], number: int) -> int | None:
        living = [one for one in known if one not in self.binned]
        return living[number % len(living)] if living else None

    def create(self, customer: int, day: int, cents: int, currency: str | None) -> None:
        if self.customers[customer] not in self.gone:
            order = self.book.order(
                self.customers[customer], DAYS[day], Decimal(cents) / 100, currency=currency
            )
            self.orders.append(order)

    def move(self, order: int, customer: int, day: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None and self.customers[customer] not in self.gone:
            changes = {"customer": self.customers[customer], "ordered_at": f"{DAYS[day]}:00Z"}
            self.book.records.update("order", found, changes)

    def price(self, order: int, cents: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None:
            self.book.records.update(
                "order", found, {"amount": Decimal(cents) / 100, "cost": Decimal(cents) / 200}
            )

    def line(self, order: int, quantity: int, cents: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None:
            values = {"order": found, "quantity": quantity, "price": Decimal(cents) / 100}
            self.lines.append(self.book.records.create("order_line", values).id)

    def move_line(self, line: int, order: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None and self.lines:
            self.book.records.update("order_line", self.lines[line % len(self.lines)], {"order": found})

    def delete(self, order: int) -> None:
        found = self.pick(self.orders, order)
        if found is not None:
            self.book.records.delete("order", found)
            self.binned.add(found)

    def restore(self, order: int) -> None:
        if self.binned:
            found = sorted(self.binned)[order % len(self.binned)]
            self.book.records.restore("order", found)
            self.binned.discard(found)

    def delete_customer(self, customer: int) -> None:
        if self.customers[customer] not in self.gone:
            self.book.records.delete("customer", self.customers[customer])
            self.gone.add(self.customers[customer])

    def restore_customer(self, customer: int) -> None:
        if self.customers[customer] in self.gone:
            self.book.records.restore("customer", self.customers[customer])
            self.gone.discard(self.customers[customer])


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=25)
@given(st.lists(step, max_size=25))
def test_a_rebuild_makes_what_each_write_made(workspace: Workspace, steps: list[tuple[Any, ...]]) -> None:
    with workspace.write() as session:
        undone = session.begin_nested()
        book = in_zone(workspace, session, "Europe/Prague")
        shop = Shop(book)
        for one in steps:
            shop.play(*one)
        for scopes in SCOPES:
            reader = shop.reader(*scopes)
            assert reader.income() == listed_for(reader), scopes
        assert book.rollup() == book.rebuilt()
        undone.rollback()


SCOPES = list(product((Scope.OWN, Scope.UNIT, Scope.ALL), repeat=2))


def listed_for(reader: Book) -> Decimal:
    """The sum of the orders that a reader finds, of the customers that they find."""
    customers = {one.id for one in reader.records.list("customer", limit=100).items}
    orders = [one.values for one in reader.records.list("order", limit=100).items]
    amounts = (
        one["amount"]
        for one in orders
        if one["customer"] in customers and one["currency"] in (None, "EUR") and one["amount"] is not None
    )
    return sum(amounts, Decimal(0))
