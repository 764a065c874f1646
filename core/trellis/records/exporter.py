"""Exporting records: CSV, XLSX and JSON lines, page by page, so that memory does not grow with the list."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.importer.mapping import BY_ID
from trellis.records.query import ListQuery, Record
from trellis.records.types import Reference

_ = translator("trellis")

PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Pages = Callable[[str | None, list[str]], ListQuery]
"""Makes the query of a page from its cursor and the fields to read."""


def columns_of(view: EntityView, names: Sequence[str] | None = None) -> list[str]:
    """The columns of an export: a reference is the external id of its record, with the id beside it."""
    unknown = [name for name in names or () if name not in view.fields]
    if unknown:
        raise RecordInvalid(
            {"fields": [_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=unknown[0])]}
        )
    found: list[str] = []
    for name in names or view.fields:
        found.append(name)
        if name in view.references:
            found.append(f"{name}{BY_ID}")
    return found


def rows_of(
    session: Session, view: EntityView, columns: Sequence[str], pages: Pages
) -> Iterator[dict[str, Any]]:
    """The rows of an export as JSON values, by column."""
    needed = [name for name in columns if name in view.fields]
    needed += [f"{name}.external_id" for name in columns if name in view.references]
    cursor: str | None = None
    while True:
        page = pages(cursor, needed).page(session)
        for record in page.items:
            yield {column: _value(view, record, column) for column in columns}
        if page.next is None:
            return
        cursor = page.next


def _value(view: EntityView, record: Record, column: str) -> Any:
    if column not in view.fields:
        return record.values.get(column.removesuffix(BY_ID))
    if isinstance(view.fields[column].type, Reference):
        return record.values.get(f"{column}.external_id")
    return view.fields[column].type.to_json(record.values.get(column))


def write_file(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    """Writes an export in the format of the file's ending; returns the number of rows."""
    ending = path.suffix.lower()
    if ending == ".xlsx":
        return _write_xlsx(path, columns, rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        return _write_json(file, rows) if ending in (".jsonl", ".ndjson") else _write_csv(file, columns, rows)


def csv_lines(columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """An export as lines of CSV, for an answer that is sent while it is made."""
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(row[column]) for column in columns])
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _write_csv(file: TextIO, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    writer = csv.writer(file)
    writer.writerow(columns)
    number = 0
    for row in rows:
        writer.writerow([_safe(row[column]) for column in columns])
        number += 1
    return number


def _write_json(file: TextIO, rows: Iterator[dict[str, Any]]) -> int:
    number = 0
    for row in rows:
        kept = {name: value for name, value in row.items() if value is not None}
        file.write(json.dumps(kept, ensure_ascii=False) + "\n")
        number += 1
    return number


def _write_xlsx(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    from xlsxwriter import Workbook

    number = 0
    with Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, columns)
        for row in rows:
            number += 1
            sheet.write_row(
                number, 0, ["" if (value := row[column]) is None else _plain(value) for column in columns]
            )
    return number


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | str) else json.dumps(value, ensure_ascii=False)


def _safe(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula; numbers stay as they are."""
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    return value if value[1:].replace(".", "", 1).isdigit() else f"'{value}"
