"""Reports as files: a sheet with groups, totals and a chart, or plain rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal as Number
from pathlib import Path
from typing import Any, Protocol

from trellis.crm.sales.reports.lines import GROUP, ROW, Line, labels
from trellis.documents.making import PDF, fill
from trellis.i18n import (
    current_language,
    current_timezone,
    format_date,
    format_datetime,
    format_number,
    translator,
)
from trellis.records.entity import Field
from trellis.records.exporter import EXACT
from trellis.records.grouping import Grouping
from trellis.records.tables import MOST_ROWS, TableRefused, text_cell
from trellis.records.types import Decimal, Integer

_ = translator("trellis")

_WIDTHS = {"number": 14, "date": 12, "datetime": 18, "text": 28}
_CHARTED = 30
"""Groups that a chart still shows legibly."""
_HEAD = 2
"""Rows above the head of the columns."""
MOST_PRINTED = 3_000
_PATIENCE = 50
"""Seconds of the processor for a PDF of that many rows."""
_PRINTED = """<h1>{{ title }}</h1><p>{{ about }}</p>
<table><thead><tr>{% for head in heads %}<th{% if ends[loop.index0] %} align="right"{% endif %}>{{ head }}</th>{% endfor %}</tr></thead>
{% for row in rows %}<tr>{% for cell in row.cells %}<{{ "th" if row.bold else "td" }}{% if ends[loop.index0] %} align="right"{% endif %}>{{ cell }}</{{ "th" if row.bold else "td" }}>{% endfor %}</tr>{% endfor %}</table>"""


class Table(Protocol):
    """The lines of a report, whatever it is about."""

    fields: list[Field]
    totalled: list[Field]
    grouping: Grouping | None

    def __iter__(self) -> Iterator[Line]:
        """The lines from top to bottom."""


def write_report(path: Path, title: str, about: str, lines: Table) -> int:
    """Writes a report in the format of the file's ending; returns how many records it has. Raises TableRefused."""
    return _FORMATS[path.suffix](path, title, about, lines)


def _csv(path: Path, _title: str, _about: str, lines: Table) -> int:
    """Rows alone: whoever reads them with a program adds up by itself."""
    number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([text_cell(one) for one in labels(lines.fields)])
        for line in lines:
            if line.kind == ROW:
                writer.writerow([text_cell(line.cells[one.name]) for one in lines.fields])
                number += 1
    return number


class _Sheet:
    """One sheet of a workbook, written from top to bottom."""

    def __init__(self, book: Any, name: str) -> None:
        self.sheet = book.add_worksheet(name[:31])
        self.row = 0
        self._formats: dict[tuple[str, bool], Any] = {}
        self._book = book

    def write(self, values: Sequence[Any], *, bold: bool = False) -> None:
        """One row."""
        if self.row >= MOST_ROWS:
            raise TableRefused(_("A sheet of XLSX holds %(most)s rows; write CSV", most=MOST_ROWS))
        for place, value in enumerate(values):
            self._cell(place, value, bold)
        self.row += 1

    def _cell(self, place: int, value: Any, bold: bool) -> None:
        if isinstance(value, datetime):
            self.sheet.write_datetime(self.row, place, value, self._format("yyyy-mm-dd hh:mm", bold))
        elif isinstance(value, date):
            self.sheet.write_datetime(self.row, place, value, self._format("yyyy-mm-dd", bold))
        elif isinstance(value, Number) and abs(value) < EXACT:
            self.sheet.write_number(self.row, place, float(value), self._format("#,##0.00##", bold))
        elif isinstance(value, int):
            self.sheet.write_number(self.row, place, value, self._format("0", bold))
        elif value is not None:
            self.sheet.write_string(self.row, place, str(value), self._format("", bold))

    def _format(self, number: str, bold: bool) -> Any:
        key = number, bold
        if key not in self._formats:
            given = {"num_format": number} if number else {}
            self._formats[key] = self._book.add_format({**given, "bold": bold})
        return self._formats[key]


def _xlsx(path: Path, title: str, about: str, lines: Table) -> int:
    from xlsxwriter import Workbook

    number = 0
    with Workbook(str(path), {"constant_memory": True}) as book:
        sheet, groups = _Sheet(book, str(_("Report"))), list[Line]()
        for place, one in enumerate(lines.fields):
            sheet.sheet.set_column(place, place, _WIDTHS.get(one.type.kind, _WIDTHS["text"]))
        sheet.write([title], bold=True)
        sheet.write([about])
        sheet.write(labels(lines.fields), bold=True)
        sheet.sheet.freeze_panes(_HEAD + 1, 0)
        for line in lines:
            if line.kind == ROW:
                number += 1
                sheet.write([line.cells[one.name] for one in lines.fields])
                continue
            groups += [line] if line.kind == GROUP else []
            for row in _summed(lines, line):
                sheet.write(row, bold=True)
        if groups:
            _add_groups(book, lines, groups)
    return number


def _summed(lines: Table, line: Line) -> list[list[Any]]:
    """What a group comes to under the columns that are added up, and its name and size under the first, or above it."""
    title = str(_("%(title)s (%(count)s)", title=line.title, count=line.count))
    sums = [line.cells.get(one.name) for one in lines.fields]
    return [[title], sums] if sums[0] is not None else [[title, *sums[1:]]]


def _add_groups(book: Any, lines: Table, groups: Sequence[Line]) -> None:
    """A sheet with a row for each group, and a chart of the first total, or of their sizes."""
    name = str(_("Groups"))
    sheet = _Sheet(book, name)
    heads = [str(lines.grouping.field.label) if lines.grouping else "", str(_("Number"))]
    sheet.write([*heads, *labels(lines.totalled)], bold=True)
    for line in groups:
        sheet.write([line.title, line.count, *(line.cells[one.name] for one in lines.totalled)])
    sheet.sheet.set_column(0, 0, _WIDTHS["text"])
    last, shown = min(len(groups), _CHARTED), 2 if lines.totalled else 1
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": [name, 0, shown],
            "categories": [name, 1, 0, last, 0],
            "values": [name, 1, shown, last, shown],
            "gap": 40,
        }
    )
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 720, "height": 120 + 24 * last})
    sheet.sheet.insert_chart(0, 3 + len(lines.totalled), chart)


def _pdf(path: Path, title: str, about: str, lines: Table) -> int:
    """Pages across, with the head of the columns on each. Raises TableRefused for more than people leaf through."""
    number = 0
    rows: list[dict[str, Any]] = []
    ends = [isinstance(one.type, Integer | Decimal) for one in lines.fields]
    for line in lines:
        if line.kind == ROW:
            number += 1
            rows.append({"cells": _worded([line.cells[one.name] for one in lines.fields]), "bold": False})
        else:
            rows += [{"cells": _worded(one), "bold": True} for one in _summed(lines, line)]
        if len(rows) > MOST_PRINTED:
            raise TableRefused(
                _("A PDF holds %(most)s rows; choose XLSX or CSV", most=format_number(MOST_PRINTED))
            )
    data = {"about": about, "heads": labels(lines.fields), "ends": ends, "rows": rows, "title": title}
    asked = {
        "format": PDF,
        "language": current_language(),
        "title": title,
        "template": _PRINTED,
        "data": {**data, "organisation": {"currency": ""}},
        "wide": True,
        "seconds": _PATIENCE,
    }
    path.write_bytes(fill(asked))
    return number


def _worded(values: Sequence[Any]) -> list[str]:
    return [_word(one) for one in values]


def _word(value: Any) -> str:
    """A cell as people read it."""
    match value:
        case None:
            return ""
        case datetime():
            return format_datetime(value.replace(tzinfo=current_timezone()))
        case date():
            return format_date(value, date.min)
        case int() | Number():
            return format_number(value)
    return str(value)


_FORMATS: Mapping[str, Callable[[Path, str, str, Table], int]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".pdf": _pdf,
}
