"""RFM: quintiles with stable ranks, the window, and who has no score."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from measured import Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics.rfm import Rfm, limits, rfm, rfm_customers
from trellis.crm.analytics.window import Window
from trellis.errors import PermissionRefused
from trellis.security.actor import Actor

AS_OF = date(2026, 12, 31)
WINDOW = Window.until(AS_OF)


def scored(book: Book, window: Window = WINDOW) -> Rfm:
    return rfm(book.session, book.edition, book.actor, window)


def codes(book: Book, window: Window = WINDOW) -> dict[int, str]:
    return {one.id: one.code for one in rfm_customers(book.session, book.edition, book.actor, window)}


def ago(days: int) -> str:
    return (AS_OF - timedelta(days=days)).isoformat()


def test_five_buyers_have_the_five_scores(book: Book) -> None:
    customers = book.customers(5)
    for customer, days in zip(customers, (1, 5, 9, 20, 90), strict=True):
        book.order(customer, ago(days))
    assert [code[0] for code in codes(book).values()] == ["5", "4", "3", "2", "1"]
    who = book.session, book.edition, book.actor, WINDOW
    known = limits(*who)
    assert [(known["r", score].low, known["r", score].high) for score in (5, 1)] == [(1, 1), (90, 90)]
    assert {one.customers for one in known.values()} == {1} and len(known) == 15
    book.order(customers[4], ago(1), "1000")  # from the last to the best in all three
    assert [one.id for one in rfm_customers(*who, best_first=True, most=1)] == [customers[4]]
    assert (limits(*who)["m", 5].low, limits(*who)["f", 5].high) == (1010, 2)


def test_equal_buyers_are_ranked_by_id(book: Book) -> None:
    customers = book.customers(5)
    for customer in reversed(customers):
        book.order(customer, ago(3))
    assert list(codes(book).values()) == ["111", "222", "333", "444", "555"]


def test_several_receipts_of_a_day_are_one_occasion(book: Book) -> None:
    anna = book.customer(external_id="A-1")
    book.order(anna, ago(3), "10.10")
    book.order(anna, ago(3), "1")
    book.order(anna, ago(10), "5")
    book.order(anna, ago(2), "-4")  # a return is no occasion, but reduces what was spent
    (row,) = [one.to_json() for one in rfm_customers(book.session, book.edition, book.actor, WINDOW)]
    assert row == {
        "id": anna,
        "external_id": "A-1",
        "name": "Anna",
        "recency_days": 3,
        "frequency": 2,
        "monetary": "12.10",
        "code": "555",
    }


def test_only_purchases_in_the_window_count(book: Book) -> None:
    early, first, last, late, returner = book.customers(5)
    for customer, day in (
        (early, "2025-12-31"),
        (first, "2026-01-01"),
        (last, "2026-12-31"),
        (late, "2027-01-01"),
    ):
        book.order(customer, day)
    book.order(returner, "2026-05-01", "-5")
    assert set(codes(book)) == {first, last}
    assert scored(book, Window.until(AS_OF, 24)).customers == 3


def test_the_answer_counts_scores_and_cells(book: Book) -> None:
    for index, customer in enumerate(book.customers(7)):
        book.order(customer, ago(index), 100 - index)
    answer = scored(book).to_json()
    assert answer["as_of"] == "2026-12-31"
    assert answer["customers"] == 7
    assert answer["scores"]["r"] == {"1": 1, "2": 1, "3": 2, "4": 1, "5": 2}
    assert sum(answer["cells"].values()) == 7
    assert list(answer["cells"]) == sorted(answer["cells"], reverse=True)


def test_nobody_bought(book: Book) -> None:
    assert limits(book.session, book.edition, book.actor, WINDOW) == {}
    book.customer()
    assert scored(book).to_json()["cells"] == {}
    assert scored(book).scores(0) == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0}


def test_a_reader_scores_the_own_customers(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine, other = book.customer(owner=boris), book.customer()
    book.order(mine, ago(50), owner=boris)
    book.order(other, ago(1))
    agent = book.seen_by(
        Actor(user_id=boris, grants={name: Grant(name, read=Scope.OWN) for name in ("customer", "order")})
    )
    assert codes(agent) == {mine: "555"}
    with pytest.raises(PermissionRefused):
        scored(book.seen_by(Actor(user_id=boris)))
