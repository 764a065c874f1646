"""Forecasts carry a running period forward as the periods before it went on from the same day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from measured import Book
from trellis.contributions import Unit
from trellis.kpi import engine
from trellis.kpi.periods import parse

TENTH = date(2026, 7, 10)


def _months(book: Book, halves: list[tuple[str, str]]) -> None:
    """Each month from January on: an order on the 5th and one on the 20th."""
    anna = book.customer()
    for month, (early, late) in enumerate(halves, 1):
        book.order(anna, f"2026-{month:02}-05", early)
        book.order(anna, f"2026-{month:02}-20", late)


def test_a_sum_grows_by_the_median_of_the_quotients(book: Book) -> None:
    # whole through the first ten days: 2, 2.5, 3, 3.5, 4, 2; the median is 2.75, the tenths 2 and 3.75
    _months(book, [("10", "10"), ("10", "15"), ("10", "20"), ("10", "25"), ("10", "30"), ("20", "20")])
    book.order(book.customer(), "2026-07-03", "100")
    forecast = book.kpi("revenue", "2026-07", today=TENTH).forecast
    assert forecast is not None
    assert (forecast.value, forecast.low, forecast.high, forecast.periods) == (275, 200, 375, 6)
    assert forecast.to_json(Unit.MONEY) == {
        "value": "275.00",
        "low": "200.00",
        "high": "375.00",
        "periods": 6,
    }
    # a board that shows three months foresees the same
    who = book.session, book.edition, book.actor, ["revenue"], parse("2026-07")
    (shown,) = engine.strip(*who, points=3, today=TENTH, ahead=True)
    assert (shown.forecast, len(shown.points)) == (forecast, 3)


def test_an_average_moves_by_the_median_of_the_differences(book: Book) -> None:
    # the average order of the whole month less that of its beginning: 0, 5, 10, 15
    _months(book, [("10", "10"), ("10", "20"), ("10", "30"), ("10", "40")])
    book.order(book.customer(), "2026-05-03", "50")
    result = book.kpi("win_rate", "2026-05", today=date(2026, 5, 10))
    assert result.forecast is None
    repeat = book.kpi("repeat_rate", "2026-05", today=date(2026, 5, 10)).forecast
    assert repeat is not None  # nobody buys twice by the 10th, the one customer does by the end of each month
    assert (repeat.value, repeat.low, repeat.high, repeat.periods) == (1.0, 1.0, 1.0, 4)


@pytest.mark.parametrize("months", [0, 3])
def test_too_few_periods_tell_nothing(book: Book, months: int) -> None:
    _months(book, [("10", "10")] * months)
    running = f"2026-{months + 1:02}"
    book.order(book.customer(), f"{running}-02", "10")
    assert book.kpi("revenue", running, today=date(2026, months + 1, 10)).forecast is None


def test_a_period_that_has_ended_needs_none(book: Book) -> None:
    _months(book, [("10", "10")] * 6)
    assert book.kpi("revenue", "2026-06", today=TENTH).forecast is None
    strip = engine.strip(
        book.session, book.edition, book.actor, ["revenue"], parse("2026-07"), today=TENTH, ahead=True
    )
    assert strip[0].forecast is not None and strip[0].forecast.value == Decimal(0)
