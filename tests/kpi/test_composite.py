"""Formulas over KPIs: their values, series and breakdowns, what they are refused for, and what has no value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from measured import LATER, Book
from trellis.contributions import Kpi, Unit
from trellis.i18n import Text
from trellis.kpi import engine
from trellis.kpi.checks import check_kpi
from trellis.kpi.composite import FormulaInvalid
from trellis.kpi.measuring import measure_keys
from trellis.kpi.periods import parse
from trellis.kpi.splits import split_names
from trellis.kpi.sums import is_sum
from trellis.records.expressions import compile_expression


def formula(name: str, text: str, unit: Unit = Unit.RATIO) -> Kpi:
    return Kpi(name=name, title=Text(name), expression=text, unit=unit)


def test_a_formula_has_values_series_and_breakdowns(book: Book) -> None:
    north = book.records.create("unit", {"name": "North"}).id
    anna = book.customer()
    book.order(anna, "2026-01-05", "10", unit=north)
    book.order(anna, "2026-01-06", "30")
    book.order(anna, "2026-03-06", "5")
    book = book.with_own(
        formula("own.check", "revenue / orders", Unit.MONEY), formula("own.twice", "own.check * 2 + 0.5")
    )
    check_kpi(book.edition, book.edition.all(Kpi)["own.twice"])
    assert book.value("own.check", "2026-01") == 20
    assert book.value("own.twice", "2026-01") == 40.5
    periods = [parse(f"2026-0{month}") for month in (1, 2, 3)]
    points = engine.series(book.session, book.edition, book.actor, "own.check", periods, LATER)
    assert [one.value for one in points] == [20, None, 5]  # no orders: nothing to divide by
    assert "unit" in split_names(book.edition, book.edition.all(Kpi)["own.check"])
    assert book.breakdown("own.check", "2026-01", "unit") == {"North": 10, "Not set": 30}
    result = book.kpi("own.check", "2026-01")
    assert (result.entity, result.rule, result.to_json()["value"]) == (None, None, "20.00")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("revenue / ordrs", "ordrs"),
        ("own.bad + 1", "own.bad → own.bad"),
        ("own.one + 1", "own.bad → own.one → own.bad"),
        ("1 + 1", "names no KPI"),
        ("revenue +", "is not an expression"),
        ("open(revenue)", "no function open"),
        ("revenue ** 99999", "is not allowed"),
        ("[revenue for x in orders]", "is not allowed"),
    ],
)
def test_a_formula_that_cannot_be_computed_is_refused(book: Book, text: str, told: str) -> None:
    bad = formula("own.bad", text)
    with pytest.raises(FormulaInvalid, match=told):
        check_kpi(book.with_own(formula("own.one", "own.bad * 2"), bad).edition, bad)


@pytest.mark.parametrize(
    "text",
    ["revenue / 0", "revenue / (orders - orders)", "average_order + 1", "'a' + revenue", "gone + revenue"],
)
def test_what_cannot_be_divided_or_is_not_there_has_no_value(book: Book, text: str) -> None:
    result: Any = book.with_own(formula("own.bad", text)).kpi("own.bad", "2026-01")
    assert result.value is None


def test_a_row_that_one_part_lacks_counts_it_as_nothing_where_it_is_a_sum(book: Book) -> None:
    north, south = (book.records.create("unit", {"name": name}).id for name in ("North", "South"))
    book.records.create("lead", {"name": "A", "unit": north})
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    book.order(None, day, "10", unit=south)
    book = book.with_own(
        formula("own.both", "(leads_created - orders) * 2", Unit.COUNT),
        formula("own.rate", "revenue / orders"),
    )
    assert book.value("own.both", day) == 0
    assert book.breakdown("own.both", day, "unit") == {"North": 2, "South": -2}
    kpi, period = book.edition.all(Kpi)["own.both"], parse(day)
    by_key = measure_keys(book.session, book.edition, book.actor, kpi, period, LATER, "unit")
    assert by_key == {north: 2, south: -2}
    assert book.breakdown("own.rate", day, "unit") == {"South": 10}
    sums = {text: is_sum(book.edition, formula(f"own.{text}", text)) for text in SUMS}
    assert sums == SUMS


SUMS = {
    "revenue": True,
    "(revenue - margin) * 1.21 / 2 + sales_won": True,
    "-2 * revenue": True,
    "revenue / orders": False,
    "revenue * orders": False,
    "revenue - 1000": False,
    "2 / orders": False,
    "revenue - average_order": False,
    "when(orders > 5, revenue, 0)": False,
    "gone + revenue": False,
}


def test_a_formula_of_money_stays_exact(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-01-05", "90071992547.01", cost="0.02")
    book = book.with_own(formula("own.cost", "revenue - margin", Unit.MONEY))
    assert book.value("own.cost", "2026-01") == Decimal("0.02")


def test_threads_that_share_a_formula_keep_their_own_numbers() -> None:
    shared = compile_expression("a - b")
    found: dict[str, Any] = {}
    other = Thread(target=lambda: found.update(other=shared({"a": 1000, "b": 1})))

    class Interrupted(dict[str, int]):
        def __getitem__(self, name: str) -> int:
            if name == "a":
                other.start()
                other.join(0.2)  # it has to wait for its turn
            return super().__getitem__(name)

    found["mine"] = shared(Interrupted(a=7, b=5))
    other.join()
    assert found == {"mine": 2, "other": 999}
