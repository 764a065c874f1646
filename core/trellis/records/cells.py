"""Cells of CSV files that a spreadsheet will not run as formulas: written by exports, read back by imports."""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-][\d\s.,()]*\d\)?")


def defused(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it; anything else as it is.

    Numbers and telephone numbers keep their sign: there is nothing in them to run.
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def restored(cell: str) -> str:
    """The text that :func:`defused` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
