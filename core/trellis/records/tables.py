"""Writing rows to a file, in the format of its ending: CSV, XLSX or JSON lines, row by row, at flat memory."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.cells import defused

_ = translator("trellis")

JSON_LINES = (".jsonl", ".ndjson")
DELIMITED = (".csv", ".tsv", ".txt")
MOST_ROWS, LONGEST_CELL = 2**20, 32_767
"""What a sheet of XLSX holds."""

Cells = Mapping[str, Any]
Write = Callable[[Cells], object]


@dataclass(frozen=True)
class Figure:
    """A number in a cell, with how XLSX shows it (``0.0%``); the spreadsheet puts the marks of its own language in."""

    number: float | Decimal
    pattern: str


class TableRefused(TrellisError):
    """The format of the file cannot hold this."""

    status = 422
    code = "table_refused"


@contextmanager
def writing(path: Path, columns: Sequence[str], *, ending: str = "", delimiter: str = ",") -> Iterator[Write]:
    """Opens a file for rows under ``columns``; yields the function that writes one. ``ending`` is that of ``path``."""
    ending = ending or path.suffix.lower()
    if ending == ".xlsx":
        with _sheet(path, columns) as write:
            yield write
    elif ending in JSON_LINES:
        with path.open("wb") as lines:
            yield lambda row: lines.write(_json_line(row))
    elif ending in DELIMITED:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t" if ending == ".tsv" else delimiter)
            writer.writerow(columns)
            yield lambda row: writer.writerow([text_cell(row.get(name)) for name in columns])
    else:
        known = ", ".join((*DELIMITED, ".xlsx", *JSON_LINES))
        raise TableRefused(_("The name of the file must end in one of: %(known)s", known=known))


def text_cell(value: Any) -> Any:
    """A value in a cell of CSV: objects as JSON, texts so that no spreadsheet runs them."""
    return defused(_scalar(value))


def _scalar(value: Any) -> Any:
    if isinstance(value, Figure):
        return value.number
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str).decode()
    return value.isoformat() if isinstance(value, date) else value


def _json_line(row: Cells) -> bytes:
    """A row as an object without its empty values."""
    kept = {name: value for name, value in row.items() if value is not None}
    return orjson.dumps(kept, default=str, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _sheet(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, columns)
        place = 0
        shown = cache(lambda pattern: book.add_format({"num_format": pattern}))

        def write(row: Cells) -> None:
            nonlocal place
            place += 1
            if place >= MOST_ROWS:
                raise TableRefused(_("A sheet of XLSX holds %(most)s rows; write CSV", most=MOST_ROWS - 1))
            for index, name in enumerate(columns):
                value = row.get(name)
                if type(value) is date:
                    sheet.write_datetime(place, index, value, day)
                elif isinstance(value, Figure):
                    sheet.write_number(place, index, value.number, shown(value.pattern))
                elif value is not None:
                    sheet.write(place, index, _fitting(_scalar(value), place))

        yield write


def _fitting(value: Any, row: int) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        raise TableRefused(
            _("Row %(row)s has a text longer than a cell of XLSX; write CSV or JSON lines", row=row)
        )
    return value
