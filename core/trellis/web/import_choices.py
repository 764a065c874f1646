"""What the page of a mapping asks of choices: which one is meant by a value that the file calls otherwise."""

from __future__ import annotations

from typing import Any

from flask import g, request

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.importer import runs
from trellis.records.importer.mapping import options_by_text
from trellis.records.types import Choice
from trellis.web.views.lists import sentences

_ = translator("trellis")

EMPTY = "-"
"""In the form: the field stays empty."""


def choices(view: EntityView, row: Any) -> dict[str, Any]:
    """The values of the file that are no choice of ours, each with what it may mean, where they were asked for."""
    meant = row.plan.get("values") or {}
    wished = row.plan.get("read_stages") or meant
    columns = {
        name: column
        for name, column in row.plan.get("columns", {}).items()
        if name in view.fields and isinstance(view.fields[name].type, Choice)
    }
    try:
        found = runs.names_in(g.session, row, list(columns.values())) if wished and columns else {}
    except TrellisError as error:
        return {"names": [], "problems": sentences(error)}
    names: list[dict[str, Any]] = []
    for name, column in columns.items():
        declared = view.fields[name].type
        assert isinstance(declared, Choice)
        known = options_by_text(declared)
        ours = [
            ("", str(_("Refuse these rows"))),
            (EMPTY, str(_("Leave the field empty"))),
            *((one.value, str(one.label)) for one in declared.options),
        ]
        for text in found.get(column, ()):
            if text.casefold() in known:
                continue
            chosen = meant.get(name, {}).get(text)
            chosen = EMPTY if chosen == "" else chosen or ""
            names.append(
                {
                    "id": len(names),
                    "field": name,
                    "label": str(view.fields[name].label),
                    "name": text,
                    "options": [
                        {"value": value, "title": title, "selected": value == chosen} for value, title in ours
                    ],
                }
            )
    return {"names": names, "problems": []}


def asked_choices() -> dict[str, dict[str, str]]:
    """What values of the file mean, by field, as the form says."""
    found: dict[str, dict[str, str]] = {}
    parts = (request.form.getlist(f"choice-{part}") for part in ("field", "name", "means"))
    for field, name, means in zip(*parts, strict=False):
        if means:
            found.setdefault(field, {})[name] = "" if means == EMPTY else means
    return found
