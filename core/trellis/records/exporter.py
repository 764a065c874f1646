"""Exporting records: CSV, XLSX and JSON lines, page by page, so that memory does not grow with the list."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.importer.headings import headings
from trellis.records.importer.plans import BY_ID, BY_NAME, ID, filled_by
from trellis.records.query import ListQuery, Record
from trellis.records.tables import writing
from trellis.records.types import Choice, Reference
from trellis.security.actor import Actor

_ = translator("trellis")

PAGE = 500
EXACT = 1e11
"""Amounts below this keep their four digits as numbers of a spreadsheet."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """Which records to export, and which of their fields: all that the actor may read, unless ``fields`` names some.

    ``named`` is for people: references are there by the name of their record, too. ``labelled`` is for people alone, as
    spreadsheets are: headings and choices are in their language, and a reference is the name of its record with the id beside it.
    """

    entity: str
    fields: Sequence[str] | None = None
    rule: Mapping[str, Any] | None = None
    text: str = ""
    sort: Sequence[str] = ()
    named: bool = False
    labelled: bool = False

    def columns(self, edition: Edition) -> list[str]:
        """The columns of the file. Raises RecordInvalid for a field that is not there."""
        return columns_of(edition.entity(self.entity), self.fields, named=self.named, labelled=self.labelled)

    def rows(self, session: Session, edition: Edition, actor: Actor) -> Iterator[dict[str, Any]]:
        """The rows as JSON values, by column."""
        view = edition.entity(self.entity)
        columns = self.columns(edition)
        needed = list(dict.fromkeys(name for one in columns if (name := filled_by(one)) in view.fields))
        needed += [f"{name}.external_id" for name in columns if name in view.references]
        cursor: str | None = None
        while True:
            page = ListQuery(
                view,
                edition,
                actor,
                rule=self.rule,
                text=self.text,
                sort=self.sort,
                fields=needed,
                cursor=cursor,
                limit=PAGE,
            ).page(session)
            for record in page.items:
                yield {column: _value(view, record, column) for column in columns}
            if page.next is None:
                return
            cursor = page.next


def columns_of(
    view: EntityView, names: Sequence[str] | None = None, *, named: bool = False, labelled: bool = False
) -> list[str]:
    """The columns of an export: a reference is the external id of its record, with the id beside it, and the name."""
    unknown = [name for name in names or () if name not in view.fields and name != ID]
    if unknown:
        raise RecordInvalid(
            {"fields": [_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=unknown[0])]}
        )
    found: list[str] = []
    for name in names or (ID, *view.fields):
        if labelled and name in view.references:
            found += [f"{name}{BY_NAME}", f"{name}{BY_ID}"]
            continue
        found.append(name)
        if name in view.references:
            found += [f"{name}{BY_ID}", *([f"{name}{BY_NAME}"] if named else [])]
    return found


def _value(view: EntityView, record: Record, column: str) -> Any:
    if column == ID:
        return record.id
    if column not in view.fields and column.endswith(BY_NAME):
        return record.titles.get(column.removesuffix(BY_NAME))
    if column not in view.fields:
        return record.values.get(column.removesuffix(BY_ID))
    if isinstance(view.fields[column].type, Reference):
        return record.values.get(f"{column}.external_id")
    return view.fields[column].type.to_json(record.values.get(column))


def write_file(
    path: Path,
    view: EntityView,
    columns: Sequence[str],
    rows: Iterator[dict[str, Any]],
    *,
    labelled: bool = False,
) -> int:
    """Writes an export in the format of the file's ending, whole or not at all; returns the number of rows."""
    ending = path.suffix.lower()
    native = _native(view, columns) if ending == ".xlsx" else {}
    native |= _titles(view, columns) if labelled else {}
    heads = headings(view, columns) if labelled else columns
    part = path.with_name(f".{path.name}.part")
    number = 0
    try:
        with writing(part, heads, ending=ending) as write:
            for row in rows:
                row |= {name: convert(row[name]) for name, convert in native.items()}
                write(
                    {head: row[name] for head, name in zip(heads, columns, strict=True)} if labelled else row
                )
                number += 1
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return number


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


def _titles(view: EntityView, columns: Sequence[str]) -> dict[str, Callable[[Any], Any]]:
    """What turns values of choices, and stages, into their titles, by column; where one title is that of two values they stay."""
    found: dict[str, Callable[[Any], Any]] = {}
    for name in columns:
        field = view.fields.get(name)
        if field is not None and isinstance(field.type, Choice):
            found[name] = _titled({(one.value, str(one.label)) for one in field.type.options})
    for one in view.lifecycles:
        if one.field in columns:
            stages = (stage for each in view.lifecycles for stage in each.stages)
            found[one.field] = _titled({(stage.value, str(stage.title)) for stage in stages})
    return found


def _titled(pairs: Collection[tuple[str, str]]) -> Callable[[Any], Any]:
    values, titles = (
        Counter(value for value, _title in pairs),
        Counter(title.casefold() for _value, title in pairs),
    )
    known = {value: title for value, title in pairs if values[value] == titles[title.casefold()] == 1}
    return lambda value: known.get(value, value)


def _number(text: Any) -> Any:
    return float(text) if text is not None and abs(float(text)) < EXACT else text


def _day(text: Any) -> Any:
    """A day as a date; spreadsheets count them from 1900, and the first two months wrongly."""
    return date.fromisoformat(text) if text is not None and text >= "1900-03-01" else text
