"""The rows of totals that people's tables end with: told by the end of a file, once, so that no row is looked at for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

LOOKED_AT = 20
"""How many lines of the end of a file are looked at: empty ones may stand among them."""
WORDS = (
    *("total", "totals", "grand total", "subtotal", "sum", "sum total"),
    *("итого", "всего", "итог", "общий итог", "итого всего", "всего итого"),
)
_FIGURE = re.compile(
    r"(?:[^\W\d_]{3}\.?\s?|[^\w\s+]\s?)?[-−(]?\d[\d\s.,'’]*\)?%?\s?(?:[^\W\d_]{1,3}\.?|[^\w\s])?"
)
"""A number, also with the mark of a currency; none that begins with a plus, as telephone numbers do."""


def trailing(tail: Sequence[tuple[int, Sequence[Any]]]) -> list[int]:
    """Which of the last rows are totals, by their numbers: those that no other row follows."""
    found: list[int] = []
    for number, cells in reversed(tail):
        filled = [one for one in cells if one is not None and str(one).strip()]
        if filled and not _is_total(filled):
            break
        if filled:
            found.append(number)
    return found[::-1]


def _is_total(cells: Sequence[Any]) -> bool:
    """Only the first cell is a text, one that says total, and there are figures behind it."""
    word, *others = cells
    return bool(others) and str(word).strip(" :.").casefold() in WORDS and all(map(_is_figure, others))


def _is_figure(cell: Any) -> bool:
    return isinstance(cell, int | float) or bool(isinstance(cell, str) and _FIGURE.fullmatch(cell.strip()))
