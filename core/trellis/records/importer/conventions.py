"""How a column of a file writes numbers and days: told by all of its cells, so that no single one is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Protocol

from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.importer.readers import Source
from trellis.records.numbers import NumberUnclear, decimal_mark, read_number
from trellis.records.types import Percent, ValueInvalid

_ = translator("trellis")

MARKS = (".", ",")
DAY_FIRST, MONTH_FIRST = "day_first", "month_first"


class Convention(Protocol):
    """Is shown every cell of a column first, then reads them."""

    def see(self, cell: str) -> None:
        """Learns from a cell."""

    def read(self, value: Any) -> Any:
        """The value in a form that the field takes; raises ValueInvalid for what may be two values."""


class Numbers:
    """Numbers with the decimal mark that is declared, or that the column shows, or else the other columns do.

    Of a field of ``shares``, which are kept as ratios, ``25 %`` is 0.25.
    """

    def __init__(self, declared: str | None, others: set[str], *, shares: bool = False) -> None:
        self._shares = shares
        self._declared = declared
        self._marks: set[str] = set()
        self._others = others

    def see(self, cell: str) -> None:
        if (mark := decimal_mark(self._number(cell))) is not None:
            self._marks.add(mark)
            self._others.add(mark)

    def read(self, value: Any) -> Any:
        marks = self._marks or self._others
        mark = self._declared or (next(iter(marks)) if len(marks) == 1 else None)
        if not isinstance(value, str):
            return value
        number = self._number(value)
        try:
            read = read_number(number, mark, by_program=False)
        except NumberUnclear as error:
            raise ValueInvalid(error.message) from None
        return read if number == value else read / 100

    def _number(self, cell: str) -> str:
        """A cell without its sign of percent."""
        bare = cell.rstrip()
        return bare.removesuffix("%").rstrip() if self._shares and bare.endswith("%") else cell


class Days:
    """Days such as ``31.12.2026``, and ``12/31/2026`` where it is declared, or some cell shows, which part is the month.

    What is written otherwise (``2026-12-31``) is left to the field.
    """

    _written = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")

    def __init__(self, declared: str | None) -> None:
        self._declared = declared
        self._day_first = self._month_first = False

    @classmethod
    def looks_like(cls, text: str) -> bool:
        """A text is written as a day."""
        return cls._written.fullmatch(text) is not None

    def see(self, cell: str) -> None:
        parts = self._written.fullmatch(cell.strip())
        if parts is not None and parts[2] != ".":
            self._day_first |= int(parts[1]) > 12
            self._month_first |= int(parts[3]) > 12

    def read(self, value: Any) -> Any:
        parts = self._written.fullmatch(value) if isinstance(value, str) else None
        if parts is None:
            return value
        day, month = int(parts[1]), int(parts[3])
        if parts[2] != "." and day != month:
            if self._declared is None and self._day_first == self._month_first:
                raise ValueInvalid(_("“%(text)s” may be two days; write it as 2026-11-23", text=value))
            month_first = self._declared == MONTH_FIRST if self._declared else self._month_first
            day, month = (month, day) if month_first else (day, month)
        try:
            found = date(int(parts[4]), month, day)
            clock = time(int(parts[5]), int(parts[6]), int(parts[7] or 0)) if parts[5] else None
        except ValueError:
            raise ValueInvalid(_("Must be a date such as 2026-11-23")) from None
        return found if clock is None else datetime.combine(found, clock)


def conventions_of(
    view: EntityView, columns: Mapping[str, str], source: Source, decimal: str | None, dates: str | None
) -> dict[str, Convention]:
    """The conventions of fields that columns fill as they are: declared, else learned in one pass over the file.

    JSON needs none: its numbers and days are written by programs.
    """
    found: dict[str, Convention] = {}
    if source.typed:
        return found
    marks: set[str] = set()
    for name in columns.keys() & view.fields.keys():
        if view.fields[name].type.kind in ("date", "datetime"):
            found[name] = Days(dates)
        elif view.fields[name].type.kind == "number":
            found[name] = Numbers(decimal, marks, shares=_holds_shares(view.fields[name]))
    if found:
        for row in source.rows():
            for name, convention in found.items():
                cell = row.cells.get(columns[name])
                if cell and isinstance(cell, str):
                    convention.see(cell)
    return found


def _holds_shares(field: Field) -> bool:
    """Whether a field is of ratios, or of values of KPIs, which may be such."""
    return isinstance(field.type, Percent) or bool(getattr(field.type, "kpi", ""))
