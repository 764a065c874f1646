"""Exporting records: CSV, XLSX and JSON lines, page by page, so that memory does not grow with the list."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.importer.mapping import BY_ID, ID
from trellis.records.query import ListQuery, Record
from trellis.records.tables import text_cell, writing
from trellis.records.types import Reference

_ = translator("trellis")

PAGE = 500
BUFFER = 64 * 1024
EXACT = 1e11
"""Amounts below this keep their four digits as numbers of a spreadsheet."""

Pages = Callable[[str | None, list[str]], ListQuery]
"""Makes the query of a page from its cursor and the fields to read."""


def columns_of(view: EntityView, names: Sequence[str] | None = None) -> list[str]:
    """The columns of an export: a reference is the external id of its record, with the id beside it."""
    unknown = [name for name in names or () if name not in view.fields and name != ID]
    if unknown:
        raise RecordInvalid(
            {"fields": [_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=unknown[0])]}
        )
    found: list[str] = []
    for name in names or (ID, *view.fields):
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
    if column == ID:
        return record.id
    if column not in view.fields:
        return record.values.get(column.removesuffix(BY_ID))
    if isinstance(view.fields[column].type, Reference):
        return record.values.get(f"{column}.external_id")
    return view.fields[column].type.to_json(record.values.get(column))


def write_file(path: Path, view: EntityView, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    """Writes an export in the format of the file's ending, whole or not at all; returns the number of rows."""
    ending = path.suffix.lower()
    native = _native(view, columns) if ending == ".xlsx" else {}
    part = path.with_name(f".{path.name}.part")
    number = 0
    try:
        with writing(part, columns, ending=ending) as write:
            for row in rows:
                write({**row, **{name: convert(row[name]) for name, convert in native.items()}})
                number += 1
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return number


def csv_lines(columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """An export as lines of CSV, for an answer that is sent while it is made."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([text_cell(row[column]) for column in columns])
        if buffer.tell() > BUFFER:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _native(view: EntityView, columns: Sequence[str]) -> dict[str, Callable[[Any], Any]]:
    """What turns JSON values into the numbers and days of a spreadsheet, by column."""
    found: dict[str, Callable[[Any], Any]] = {}
    for name in columns:
        field = view.fields.get(name)
        if field is not None and field.type.fixed_point:
            found[name] = _number
        elif field is not None and field.type.kind == "date":
            found[name] = _day
    return found


def _number(text: Any) -> Any:
    return float(text) if text is not None and abs(float(text)) < EXACT else text


def _day(text: Any) -> Any:
    """A day as a date; spreadsheets count them from 1900, and the first two months wrongly."""
    return date.fromisoformat(text) if text is not None and text >= "1900-03-01" else text
