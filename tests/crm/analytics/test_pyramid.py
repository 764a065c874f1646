"""The customer pyramid: cuts, ties, measures, who stands outside it, and for whom it is drawn."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured import Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics.moves import moves
from trellis.crm.analytics.pyramid import Pyramid, pyramid
from trellis.crm.analytics.window import Window
from trellis.errors import PermissionRefused, TrellisError
from trellis.kpi.periods import parse
from trellis.records.door import Write
from trellis.security.actor import Actor
from trellis.workspace import Workspace

YEAR = Window.of(parse("2026"))


def drawn(book: Book, measure: str | None = None, window: Window = YEAR) -> Pyramid:
    return pyramid(book.session, book.edition, book.actor, window, measure)


def test_a_window_of_twelve_months_ends_with_its_day() -> None:
    assert Window.until(date(2026, 12, 31)) == Window(date(2026, 1, 1), date(2027, 1, 1))
    assert Window.until(date(2024, 2, 29), 1).first == date(2024, 1, 30)


def test_two_hundred_customers_make_tiers_of_2_8_30_and_160(book: Book) -> None:
    customers = book.customers(203)
    rows = [
        {"number": "R", "customer": customer, "ordered_at": "2026-03-01", "amount": f"{200 - place}.5"}
        for place, customer in enumerate(customers[:200])
    ]
    rows.append({"number": "R", "customer": customers[200], "ordered_at": "2025-12-31", "amount": "1"})
    book.records.save("order", [Write(values=row) for row in rows])
    found = drawn(book)
    sizes = {one.tier: one.customers for one in found.tiers}
    assert sizes == {"top": 2, "large": 8, "medium": 30, "small": 160}
    assert (found.inactive, found.prospects, found.measure) == (1, 2, "revenue")
    total = sum(Decimal(n) + Decimal("0.5") for n in range(1, 201))
    top, small = found.to_json()["tiers"][0], found.to_json()["tiers"][3]
    assert (top["amount"], top["from"], top["to"]) == ("400.00", "199.50", "200.50")
    assert top["share"] == pytest.approx(float(400 / total), abs=1e-6)
    assert (small["from"], small["to"]) == ("1.50", "160.50")


def test_equal_customers_are_ranked_by_id(book: Book) -> None:
    customers = book.customers(6)
    for customer in reversed(customers):
        book.order(customer, "2026-03-01", "10")
    found = drawn(book)
    assert [one.customers for one in found.tiers] == [1, 0, 1, 4]
    assert found.tiers[0].share == pytest.approx(1 / 6, abs=1e-6)


def test_margin_is_the_measure_where_most_cost_is_known(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2026-03-01", "100", cost="90")
    book.order(boris, "2026-03-01", "50", cost="10")
    found = drawn(book)
    assert (found.measure, found.tiers[0].amount, found.tiers[0].revenue) == ("margin", 40, 50)
    assert drawn(book, "revenue").tiers[0].amount == 100
    book.order(anna, "2026-03-02", "200")  # its cost is not known
    found = drawn(book)
    assert (found.measure, found.coverage.cost_known) == ("revenue", pytest.approx(150 / 350))
    assert drawn(book, "margin").tiers[0].amount == 40


def test_an_unprofitable_customer_sinks_to_the_small_ones(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2026-03-01", "100", cost="10")
    book.order(boris, "2026-03-01", "100", cost="130")
    found = drawn(book)
    assert found.unprofitable == 1
    assert [one.amount for one in found.tiers] == [90, 0, 0, -30]
    assert found.tiers[0].share == 1.5  # the whale curve: more than the whole


def test_an_empty_pyramid_has_no_shares(book: Book) -> None:
    found = drawn(book)
    assert [one.share for one in found.tiers] == [None] * 4
    assert (found.inactive, found.prospects, found.customers) == (0, 0, 0)
    assert found.to_json()["tiers"][0] == {
        "tier": "top",
        "customers": 0,
        "amount": "0.00",
        "share": None,
        "from": None,
        "to": None,
        "revenue": "0.00",
        "margin": None,
        "cost": None,
        "unprofitable": 0,
    }


def test_refunds_as_large_as_sales_or_larger_leave_no_shares(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01", "10")
    book.order(anna, "2026-03-05", "-10")
    assert [one.share for one in drawn(book).tiers] == [None] * 4
    book.order(anna, "2026-03-06", "-10")
    assert [one.share for one in drawn(book).tiers] == [None] * 4


def test_who_only_returned_is_ranked_and_stands_nowhere_else(book: Book) -> None:
    anna, boris, _prospect = book.customers(3)
    book.order(anna, "2026-03-01", "-10")  # a return of something that is not known here
    book.order(boris, "2025-03-01", "10")
    book.order(boris, "2026-03-01", "-10")
    found = drawn(book)
    assert (found.customers, found.inactive, found.prospects) == (2, 0, 1)
    later = drawn(book, window=Window.of(parse("2027")))
    assert (later.customers, later.inactive) == (0, 1)


def test_amounts_in_other_currencies_do_not_rank_but_their_customers_are_active(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2026-03-01", "10")
    book.order(boris, "2026-03-01", "1000", currency="USD")
    found = drawn(book)
    assert (found.customers, found.inactive, found.coverage.other_currencies) == (2, 0, 1)
    assert [one.amount for one in found.tiers] == [10, 0, 0, 0]


def test_a_reader_sees_the_pyramid_of_the_own_customers(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine, _prospect, other = book.customer(owner=boris), book.customer(owner=boris), book.customer()
    book.order(mine, "2026-03-01", "10", owner=boris)
    book.order(other, "2026-03-01", "90")
    agent = book.seen_by(
        Actor(user_id=boris, grants={name: Grant(name, read=Scope.OWN) for name in ("customer", "order")})
    )
    found = drawn(agent)
    assert (found.customers, found.tiers[0].amount, found.prospects) == (1, 10, 1)
    with pytest.raises(PermissionRefused):
        drawn(book.seen_by(Actor(user_id=boris)))


def test_an_unknown_measure_is_refused(book: Book) -> None:
    with pytest.raises(TrellisError, match="margin or revenue"):
        drawn(book, "profit")


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=15)
@given(st.lists(st.integers(-50, 500), max_size=130))
def test_tiers_are_what_sorting_by_hand_gives(workspace: Workspace, amounts: list[int]) -> None:
    with workspace.write() as session:
        undone = session.begin_nested()
        book = Book(session, workspace.edition(session))
        customers = book.records.save("customer", [Write(values={"name": "C"}) for _ in amounts])
        rows = [
            {"number": "R", "customer": customer, "ordered_at": "2026-03-01", "amount": amount}
            for customer, amount in zip(customers, amounts, strict=True)
        ]
        book.records.save("order", [Write(values=row) for row in rows])
        found = drawn(book)
        undone.rollback()
    ranked = sorted(amounts, reverse=True)
    cuts = [math.ceil(len(ranked) * percent / 100) for percent in (0, 1, 5, 20, 100)]
    expected = [ranked[start:end] for start, end in pairwise(cuts)]
    assert [(one.customers, one.amount) for one in found.tiers] == [(len(one), sum(one)) for one in expected]


def test_the_organisation_says_where_tiers_end(book: Book) -> None:
    for place, customer in enumerate(book.customers(10)):
        book.order(customer, "2026-03-01", 100 - place, cost=10)
    book.order(book.customer(), "2026-03-01", 5, cost=20)
    wide = book.assuming("pyramid", top="0.1", large="0.3", medium="0.5")
    found = drawn(wide)
    assert [one.customers for one in found.tiers] == [2, 2, 2, 5]
    top, small = found.to_json()["tiers"][0], found.to_json()["tiers"][3]
    assert (top["revenue"], top["cost"], top["margin"]) == ("199.00", "20.00", "179.00")
    assert (small["unprofitable"], found.unprofitable) == (1, 1)
    assert found.to_json()["cuts"] == {"top": 0.1, "large": 0.3, "medium": 0.5, "small": 1.0}


def test_moves_count_customers_of_either_period(book: Book) -> None:
    riser, faller, leaver, comer, never = book.customers(5)
    for customer, before, now in ((riser, 1, 90), (faller, 90, 50), (leaver, 50, 0), (comer, 0, 1)):
        for year, amount in ((2025, before), (2026, now)):
            if amount:
                book.order(customer, f"{year}-03-01", amount)
    found = moves(book.session, book.edition, book.actor, YEAR.before(), YEAR, "revenue")
    assert {key: number for key, number in found.customers.items() if number} == {
        ("small", "top"): 1,
        ("top", "small"): 1,
        ("small", "outside"): 1,
        ("outside", "small"): 1,
    }
    assert len(found.to_json()["cells"]) == 24
    assert (found.before.first, found.before.end) == (date(2025, 1, 1), date(2026, 1, 1))
    assert never not in found.customers
