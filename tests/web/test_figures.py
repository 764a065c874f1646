"""Figures as people read them: deviations that round to zero are none, what is not known draws no line."""

from __future__ import annotations

import pytest
from trellis.kpi.periods import parse
from trellis.kpi.results import Point
from trellis.web.figures import round_top, signed, trend


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("4.2", 4.2, "+4.2"),
        ("−4.2", -4.2, "−4.2"),
        ("−0.0", -0.01, "0.0"),
        ("0.0", 0.01, "0.0"),
        ("0", 0, "0"),
    ],
)
def test_a_deviation_has_a_sign_unless_it_rounds_to_zero(text: str, value: float, shown: str) -> None:
    assert signed(text, value) == shown


def test_a_trend_of_nothing_is_nothing() -> None:
    month = parse("2026-10")
    assert trend([Point(period=month, value=None), Point(period=month, value=None)]) == []
    assert trend([Point(period=month, value=None), Point(period=month, value=3)]) == [0.0, 3.0]


@pytest.mark.parametrize(
    ("highest", "top"), [(18_700, 20_000), (20_000, 20_000), (0.23, 0.25), (7, 10), (0, 1)]
)
def test_a_scale_ends_at_a_round_number(highest: float, top: float) -> None:
    assert round_top(highest) == pytest.approx(top)
