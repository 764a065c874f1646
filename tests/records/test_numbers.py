"""Numbers as people write them: each text is one number or refused, never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trellis.records.numbers import NumberUnclear, decimal_mark, read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234.5", "1234.5"),
        ("1.234", "1.234"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234,567.8", "1234567.8"),
        ("12345,678", "12345.678"),
        ("0,125", "0.125"),
        ("\u22123", "-3"),
        ("+.5", "0.5"),
        ("1e3", "1000"),
    ],
)
def test_a_clear_number_is_read(text: str, number: str) -> None:
    assert read_number(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["1,234", "-12,345", "1,23,4", "1,2.3", "1,234,56", "1.2.3", "", "-", "abc", "١٢", "NaN"]
)
def test_what_may_be_two_numbers_or_none_is_refused(text: str) -> None:
    with pytest.raises(NumberUnclear):
        read_number(text)


def written(number: Decimal, mark: str, between: str) -> str:
    return f"{number:,f}".replace(",", "\0").replace(".", mark).replace("\0", between)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_every_usual_way_of_writing_is_read_back(number: Decimal, marks: tuple[str, str]) -> None:
    text = written(number, *marks)
    assert decimal_mark(text) == marks[0]
    assert read_number(text) == read_number(text, marks[0]) == number


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=0, max_value=999))
def test_a_known_mark_decides_what_three_digits_are(high: int, low: int) -> None:
    text = f"{high},{low:03}"
    assert read_number(text, ".") == high * 1000 + low
    assert read_number(text, ",") == Decimal(f"{high}.{low:03}")
