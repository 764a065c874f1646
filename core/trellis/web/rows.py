"""The rows of a list as HTML: what their templates write is kept for each set of columns, and filled in for each record."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import g
from markupsafe import Markup

from trellis.edition import EntityView
from trellis.i18n import current_timezone
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.web.deadlines import deadline_of
from trellis.web.display import NOTHING, Shown, column, person, teller, title_of
from trellis.web.patterns import Pattern, kept, module_of

_TEMPLATE = "components/rows.html"
_ICONS = {"company": "building", "person": "user"}
_GAPS = ("text", "url", "title", "name", "initials")

Tell = Callable[[Record], Shown]


class Values:
    """Values as one macro writes them, kept for each kind of value."""

    def __init__(self, write: Callable[[Shown], str]) -> None:
        self._write = write
        self._patterns: dict[Hashable, Pattern] = {}

    def html(self, value: Shown) -> str:
        """One value, as HTML."""
        who, url, text = value.get("person"), value.get("url", ""), value["text"]
        tone = value.get("tone") if who is None else who["tone"]
        key = (value["kind"], tone, text == "", url == "")
        pattern = self._patterns.get(key)
        if pattern is None:
            pattern = self._patterns[key] = Pattern(_GAPS, lambda gaps: self._marked(value, gaps))
        return pattern.text(value if who is None else {**value, **who})

    def _marked(self, value: Shown, gaps: Mapping[str, str]) -> str:
        """The value with gaps instead of all that is not the same in others of its kind."""
        marked = {name: gaps[name] if name in gaps and part != "" else part for name, part in value.items()}
        if "person" in value:
            marked["person"] = {**value["person"], "name": gaps["name"], "initials": gaps["initials"]}
        return self._write(marked)


class Rows:
    """How the rows of a list with these columns are written, on one day."""

    def __init__(self, view: EntityView, base: str, names: Sequence[str], *, pick: bool, open_: bool) -> None:
        info, macros = view.info, module_of(_TEMPLATE)
        self._view, self._base, self._macros, self._pick = view, f"{base}/{view.name}", macros, pick

        def tell(name: str, *, bare: bool = False) -> Tell:
            return teller(g.edition, base, view.name, view.fields[name], bare=bare)

        def opens(name: str) -> bool:
            return open_ and is_typed(view.fields.get(name))

        def values(name: str) -> Values:
            css = column(g.edition, view, view.fields[name])["css"]
            about = {"name": name, "css": css, "open": opens(name)}
            return Values(lambda value: macros.row_cell(value, about))

        self._cells = [
            (name, tell(name, bare=True), made := values(name), made.html(NOTHING)) for name in names
        ]
        self._line, self._figure, self._when = (
            tell(name) if name else _nothing
            for name in (info.subtitle_field, info.amount_field, info.date_field)
        )
        if info.line_fields:
            more = [tell(name) for name in info.line_fields if name in view.fields]
            self._line = _joined([self._line, *more])
        self._lines = Values(macros.row_line)
        self._head = {"name": info.title_field, "open": opens(info.title_field)}
        self._patterns: dict[Hashable, Pattern] = {}

    def html(self, records: Sequence[Record]) -> Markup:
        """Rows of records."""
        return Markup("\n".join([self._row(record) for record in records]))

    def row(self, record: Record, editing: Mapping[str, Any] | None = None) -> Markup:
        """The row of one record; ``editing`` is its cell that is open."""
        return Markup(self._row(record, editing))

    def _row(self, record: Record, editing: Mapping[str, Any] | None = None) -> str:
        view = self._view
        title = title_of(view, record)
        figure = self._figure(record)["text"]
        deadline = deadline_of(view, record.values)
        when = self._when(record)["text"] if deadline is None else deadline.text
        late = deadline is not None and deadline.late
        icon = _ICONS.get(record.values.get("kind") or "", "")
        values = {
            "id": record.id,
            "url": f"{self._base}/{record.id}",
            "title": title,
            "line": Markup(self._lines.html({**self._line(record), "url": ""})),
            "cells": self._all_cells(record, editing),
            "figure": figure,
            "when": when,
            **person(title, record.id),
        }
        if editing is not None:
            return self._written(values, icon, figure != "", late, editing)
        key = (icon, figure != "", late)
        pattern = self._patterns.get(key)
        if pattern is None:
            pattern = Pattern(tuple(values), lambda gaps: self._written(gaps, icon, figure != "", late))
            self._patterns[key] = pattern
        return pattern.text(values)

    def _all_cells(self, record: Record, editing: Mapping[str, Any] | None) -> Markup:
        values, opened = record.values, None if editing is None else editing["name"]
        cells = [
            empty if values.get(name) is None else pattern.html(tell(record))
            for name, tell, pattern, empty in self._cells
        ]
        for place, (name, *_how) in enumerate(self._cells):
            if name == opened:
                cells[place] = self._macros.open_cell(editing)
        return Markup("".join(cells))

    def _written(
        self,
        values: Mapping[str, Any],
        icon: str,
        has_figure: bool,
        late: bool,
        editing: Mapping[str, Any] | None = None,
    ) -> str:
        if editing is not None and editing["name"] == self._head["name"]:
            head = self._macros.open_cell(editing, head=True)
        else:
            head = self._macros.row_head({**self._head, **values, "name": self._head["name"], "icon": icon})
        avatar = {"initials": values["initials"], "tone": values["tone"]}
        row = {**values, "pick": self._pick, "head": head, "avatar": avatar, "late": late}
        html: str = self._macros.list_row({**row, "figure": values["figure"] if has_figure else ""})
        return html


def _nothing(_record: Record) -> Shown:
    return NOTHING


def _joined(tells: Sequence[Tell]) -> Tell:
    """What there is of several values, in one line."""

    def told(record: Record) -> Shown:
        texts = [tell(record)["text"] for tell in tells]
        return {"kind": "text", "text": " · ".join(one for one in texts if one)}

    return told


def is_typed(field: Field | None) -> bool:
    """Whether people can change the field by typing or choosing."""
    return field is not None and not field.read_only and field.type.kind != "json"


def rows_of(view: EntityView, base: str, names: Sequence[str], *, pick: bool, open_: bool) -> Rows:
    """The rows of a list of the reader's; ``pick`` when they can be ticked, ``open_`` when cells can be edited."""
    zone = current_timezone()
    key = ("rows", view.name, tuple(names), pick, open_, zone.key, datetime.now(zone).date())
    return kept(key, lambda: Rows(view, base, names, pick=pick, open_=open_))
