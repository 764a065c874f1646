"""Loyalty: retention from month to month, cohorts, repeat purchases."""

from __future__ import annotations

from datetime import date

from measured import LATER, Book
from trellis.crm.analytics.loyalty import Loyalty, loyalty
from trellis.kpi.periods import parse


def found(book: Book, period: str = "2026", today: date = LATER) -> Loyalty:
    return loyalty(book.session, book.edition, book.actor, parse(period), today)


def shop(book: Book) -> None:
    anna, boris, vera, gleb = book.customers(4)
    for customer, months in ((anna, (1, 2, 3)), (boris, (1, 3)), (vera, (2,)), (gleb, (3, 3))):
        for index, month in enumerate(months):
            book.order(customer, f"2026-{month:02}-{index + 1:02}")


def test_retention_is_of_those_who_were_active_before(book: Book) -> None:
    shop(book)
    periods = found(book, "2026-Q1").to_json()["periods"]
    assert periods == [
        {"period": "2026-02", "before": 2, "retained": 1, "retention": 0.5},
        {"period": "2026-03", "before": 2, "retained": 1, "retention": 0.5},
    ]


def test_retention_looks_at_the_month_before_the_period(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2025-12-31")
    book.order(anna, "2026-01-01")
    assert found(book).to_json()["periods"][0] == {
        "period": "2026-01",
        "before": 1,
        "retained": 1,
        "retention": 1.0,
    }


def test_a_gap_has_no_rate(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-01-05")
    book.order(anna, "2026-03-05")
    april = found(book, "2026-Q2").periods[0]
    assert (april.period.code, april.rate) == ("2026-04", 0.0)
    assert [one.rate for one in found(book, "2026-Q1").periods] == [0.0, None]


def test_cohorts_are_of_the_first_month_ever(book: Book) -> None:
    shop(book)
    old = book.customer()
    book.order(old, "2025-06-01")
    book.order(old, "2026-02-01")
    assert [(one.period.code, one.size, one.active) for one in found(book, "2026-Q1").cohorts] == [
        ("2026-01", 2, (2, 1, 2)),
        ("2026-02", 1, (1, 0)),
        ("2026-03", 1, (1,)),
    ]


def test_months_to_come_are_empty_and_the_one_that_runs_is_marked(book: Book) -> None:
    shop(book)
    answer = found(book, today=date(2026, 3, 10)).to_json()
    assert answer["cohorts"][0]["active"] == [2, 1, 2]
    assert answer["partial"] == "2026-03"
    assert answer["periods"][-1]["partial"] is True


def test_repeat_buyers_bought_on_two_days(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2026-01-05T08:00")
    book.order(anna, "2026-01-05T18:00")
    book.order(boris, "2026-01-05")
    book.order(boris, "2026-09-05")
    assert (found(book).repeat_rate, found(book).buyers) == (0.5, 2)


def test_nobody_bought(book: Book) -> None:
    answer = found(book).to_json()
    assert (answer["periods"], answer["cohorts"], answer["repeat_rate"]) == ([], [], None)
    assert found(book, "2031").to_json()["periods"] == []
