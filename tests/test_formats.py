"""Numbers are written as CLDR says, moments in full with the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from babel import numbers
from hypothesis import given
from hypothesis import strategies as st
from trellis.i18n import LANGUAGES, MINUS, NBSP, format_moment, format_number, use_locale

_EXACT = st.decimals(-(10**15), 10**15, places=6) | st.decimals(-1, 1, places=5)
_NUMBERS = st.integers(-(10**15), 10**15) | _EXACT | st.floats(-1e12, 1e12)


@given(_NUMBERS, st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from(LANGUAGES))
def test_numbers_are_written_as_babel_writes_them(
    value: int | float | Decimal, decimals: int | None, language: str
) -> None:
    pattern = "#,##0.###" if decimals is None else f"#,##0{'.' if decimals else ''}{'0' * decimals}"
    expected = numbers.format_decimal(value, format=pattern, locale=language).replace("-", MINUS)
    for separator in ("\N{NARROW NO-BREAK SPACE}", *("," if language == "en" else ())):
        expected = expected.replace(separator, NBSP)
    with use_locale(language):
        assert format_number(value, decimals) == expected


def test_a_moment_in_full_names_year_and_zone() -> None:
    moment = datetime(2026, 11, 21, 8, 12, tzinfo=UTC)
    for language, expected in (("en", "21 November 2026, 09:12 CET"), ("ru", "21 ноября 2026, 09:12 CET")):
        with use_locale(language, "Europe/Berlin"):
            assert format_moment(moment) == expected
