"""How a column of a file writes numbers and days: told by all of its cells, so that no single one is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Any, Protocol

from babel.dates import get_month_names

from trellis.edition import EntityView
from trellis.i18n import LANGUAGES, translator
from trellis.records.entity import Field
from trellis.records.importer.amounts import Amounts, Numbers
from trellis.records.importer.readers import Source
from trellis.records.types import Money, Percent, ValueInvalid

_ = translator("trellis")

MARKS = (".", ",")
NONE = ("-", "–", "—", "n/a", "null", "none", "не закрыта", "не указано", "не указана", "нет")
"""What other programs write in a column of numbers or days where there is none."""
DAY_FIRST, MONTH_FIRST = "day_first", "month_first"


class Convention(Protocol):
    """Is shown every cell of a column first, then reads them."""

    def see(self, cell: str) -> None:
        """Learns from a cell."""

    def read(self, value: Any) -> Any:
        """The value in a form that the field takes; raises ValueInvalid for what may be two values."""


class Days:
    """Days such as ``31.12.2026``, ``31-Dec-26`` and ``12/31/2026 3:20 PM``; of those made of digits alone it is declared,
    or some cell shows, which part is the month.

    What is written otherwise (``2026-12-31``) is left to the field.
    """

    _clock = r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
    _year = r"(?P<year>\d{4}|\d{2})(?:\s*г\.?)?"
    _written = re.compile(
        rf"(?P<first>\d{{1,2}})(?P<mark>[./-])(?P<second_>\d{{1,2}})(?P=mark){_year}{_clock}"
    )
    _named = (
        re.compile(rf"(?P<day>\d{{1,2}})[ .-]+(?P<month>[^\W\d_]+)\.?[ ,-]+{_year}{_clock}"),
        re.compile(rf"(?P<month>[^\W\d_]+)\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {_year}{_clock}"),
    )

    def __init__(self, declared: str | None) -> None:
        self._declared = declared
        self._day_first = self._month_first = False

    @classmethod
    def looks_like(cls, text: str) -> bool:
        """A text is written as a day."""
        return cls._written.fullmatch(text) is not None or cls._in_words(text) is not None

    @classmethod
    def _in_words(cls, text: str) -> re.Match[str] | None:
        """A day whose month is named."""
        found = next((parts for one in cls._named if (parts := one.fullmatch(text)) is not None), None)
        return found if found is not None and found["month"].casefold() in months() else None

    def see(self, cell: str) -> None:
        parts = self._written.fullmatch(cell.strip())
        if parts is not None and parts["mark"] != ".":
            self._day_first |= int(parts["first"]) > 12
            self._month_first |= int(parts["second_"]) > 12

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if (named := self._in_words(value)) is not None:
            return _moment(named, months()[named["month"].casefold()], int(named["day"]))
        parts = self._written.fullmatch(value)
        if parts is None:
            return value
        day, month = int(parts["first"]), int(parts["second_"])
        if parts["mark"] != "." and day != month:
            if self._declared is None and self._day_first == self._month_first:
                raise ValueInvalid(_("“%(text)s” may be two days; write it as 2026-11-23", text=value))
            month_first = self._declared == MONTH_FIRST if self._declared else self._month_first
            day, month = (month, day) if month_first else (day, month)
        return _moment(parts, month, day)


def _moment(parts: re.Match[str], month: int, day: int) -> date | datetime:
    """The day, with its time where one is told. Raises ValueInvalid for what is none."""
    year, hour = int(parts["year"]), int(parts["hour"] or 0)
    if len(parts["year"]) == 2:  # as POSIX has it
        year += 1900 if year > 68 else 2000
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0) if 1 <= hour <= 12 else 24
    try:
        found = date(year, month, day)
        clock = time(hour, int(parts["minute"]), int(parts["second"] or 0)) if parts["hour"] else None
    except ValueError:
        raise ValueInvalid(_("Must be a date such as 2026-11-23")) from None
    return found if clock is None else datetime.combine(found, clock)


@cache
def months() -> Mapping[str, int]:
    """The months by their names and what these are shortened to, in any language."""
    named = (
        (name, number)
        for language in LANGUAGES
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, language).items()
    )
    return {name.rstrip(".").casefold(): number for name, number in named} | {"sept": 9}


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
        elif isinstance(view.fields[name].type, Money):
            found[name] = Amounts(decimal, marks)
        elif view.fields[name].type.kind == "number":
            type_ = view.fields[name].type
            parts = isinstance(type_, Percent) and type_.maximum == 1
            found[name] = Numbers(decimal, marks, shares=_holds_shares(view.fields[name]), parts=parts)
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
