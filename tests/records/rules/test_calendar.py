"""Periods of rules follow the organisation: the day on which weeks begin, the month in which its year does."""

from __future__ import annotations

from datetime import date

import pytest
from trellis.records.rules.context import begin
from trellis.records.rules.nodes import Unit

TODAY = date(2026, 11, 25)  # a Wednesday


@pytest.mark.parametrize(
    ("unit", "number", "first_weekday", "fiscal_month", "day"),
    [
        (Unit.WEEK, 0, 0, 1, date(2026, 11, 23)),
        (Unit.WEEK, 0, 6, 1, date(2026, 11, 22)),
        (Unit.WEEK, 1, 2, 1, date(2026, 12, 2)),
        (Unit.WEEK, 0, 3, 1, date(2026, 11, 19)),
        (Unit.QUARTER, 0, 0, 1, date(2026, 10, 1)),
        (Unit.QUARTER, 0, 0, 12, date(2026, 9, 1)),
        (Unit.QUARTER, -1, 0, 2, date(2026, 8, 1)),
        (Unit.YEAR, 0, 0, 1, date(2026, 1, 1)),
        (Unit.YEAR, 0, 0, 4, date(2026, 4, 1)),
        (Unit.YEAR, 0, 0, 12, date(2025, 12, 1)),
        (Unit.YEAR, 1, 0, 12, date(2026, 12, 1)),
    ],
)
def test_a_period_begins_where_the_organisation_says(
    unit: Unit, number: int, first_weekday: int, fiscal_month: int, day: date
) -> None:
    assert begin(TODAY, unit, number, first_weekday, fiscal_month) == day
