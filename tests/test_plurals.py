"""Plurals in a catalogue follow the language's own forms."""

from __future__ import annotations

import pytest
from trellis.i18n import plural_translator, use_locale

_n = plural_translator("trellis")


@pytest.mark.parametrize(
    ("number", "form"),
    [(1, "1 правило"), (2, "2 правила"), (5, "5 правил"), (11, "11 правил"), (21, "21 правило")],
)
def test_russian_has_three_forms(number: int, form: str) -> None:
    with use_locale("ru"):
        assert str(_n("%(num)s rule", "%(num)s rules", number)) == form


def test_english_has_two_forms() -> None:
    with use_locale("en"):
        assert [str(_n("%(num)s rule", "%(num)s rules", number)) for number in (1, 2)] == [
            "1 rule",
            "2 rules",
        ]
