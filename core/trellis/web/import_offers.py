"""What the page of a mapping offers beside the columns: the same value in all rows, and records made of names that nobody has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from flask import g, request

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.records.entity import Field
from trellis.records.importer import saved_mappings
from trellis.records.importer.making import obstacle
from trellis.records.importer.plans import BY_NAME, filled_by, is_computed
from trellis.records.types import Reference, Rule, ValueInvalid
from trellis.records.values import to_json
from trellis.web.display import control, read_form, title_of
from trellis.web.rows import is_typed

_ = translator("trellis")

UNKNOWN: Mapping[str, Text] = {
    "": _("Refuse the row"),
    "make": _("Make a record"),
    "blank": _("Leave the field empty"),
}
ADD, DROP = "fixed-add", "fixed-drop"


def offers(view: EntityView, row: Any, base: str) -> dict[str, Any]:
    """Both offers as the page shows them."""
    return {
        "unknown": [_unknown(view.fields[name], row) for name in _named(view, row)],
        "fixed": _fixed(view, row, base),
    }


def asked_offers(view: EntityView, columns: Mapping[str, str], *, ready: bool) -> dict[str, Any]:
    """What the form says of them, for a plan of these columns; ``ready`` where it is the mapping of a plugin.

    What is reckoned from the columns of a row joins these.
    """
    form = request.form
    named = [name for name in view.references if ready or f"{name}{BY_NAME}" in columns]
    names = [one for one in (*form.getlist("fixed"), form.get(ADD, "")) if one != form.get(DROP)]
    given = {name: _value(view, view.fields[name]) for name in names if _is_offered(view, name)}
    computed = {name: value for name, value in given.items() if isinstance(value, str) and is_computed(value)}
    return {
        "columns": {**computed, **columns},
        **{way: [name for name in named if form.get(f"unknown-{name}") == way] for way in ("make", "blank")},
        "fixed": {name: value for name, value in given.items() if name not in computed},
    }


def changes_fixed() -> bool:
    """The form was sent to have another field, or one less, that is the same in all rows."""
    return bool(request.form.get(ADD) or request.form.get(DROP))


def fixed_texts(view: EntityView, row: Any) -> dict[str, str]:
    """What is the same in all rows, as people read it."""
    return {
        one["field"]: next(
            (option["title"] for option in one["options"] if option["selected"]), str(one["value"])
        )
        for one in _fixed(view, row, "")["controls"]
        if one["field"] in (row.plan.get("fixed") or {}) and one["value"] is not None
    }


def _unknown(field: Field, row: Any) -> dict[str, Any]:
    problem = obstacle(g.edition, g.actor, cast(Reference, field.type).entity)
    return {
        "name": field.name,
        "label": str(_("%(field)s whose name no record has", field=field.label)),
        "options": [
            {"value": way, "title": str(title), "selected": field.name in (row.plan.get(way) or ())}
            for way, title in UNKNOWN.items()
            if way != "make" or problem is None
        ],
        "problem": str(_("Unknown ones cannot be made here (%(reason)s)", reason=problem)) if problem else "",
    }


def _named(view: EntityView, row: Any) -> list[str]:
    """The references that columns give by name, those of a mapping that a plugin brings too."""
    columns = row.plan.get("columns") or {}
    if row.plan.get("mapping"):
        columns = {one.name: one.columns for one in saved_mappings.ready(g.edition, row)}.get(
            row.plan["mapping"], {}
        )
    return [one for name in columns if (one := name.removesuffix(BY_NAME)) != name and one in view.references]


def _fixed(view: EntityView, row: Any, base: str) -> dict[str, Any]:
    """The fields that are the same in all rows, each with its control, and those that can be."""
    columns = row.plan.get("columns") or {}
    given = {name: origin for name, origin in columns.items() if is_computed(origin)}
    given |= row.plan.get("fixed") or {}
    taken = {*given, *map(filled_by, columns)}
    return {
        "controls": [
            _control(view.fields[name], value, base) for name, value in given.items() if name in view.fields
        ],
        "options": [
            {"value": name, "title": str(one.label)}
            for name, one in view.fields.items()
            if name not in taken and _is_offered(view, name)
        ],
    }


def _is_offered(view: EntityView, name: str) -> bool:
    field = view.fields.get(name)
    return field is not None and is_typed(field) and not field.unique and not isinstance(field.type, Rule)


def _value(view: EntityView, field: Field) -> Any:
    """The value of a control as JSON; None for a field that was only just chosen."""
    texts = request.form.getlist(_name(field))
    value = read_form(field, texts[-1]) if texts else None
    with suppress(ValueInvalid):  # the preview says what is wrong with it
        return to_json(view, {field.name: field.type.check(value)})[field.name]
    return texts[-1]


def _control(field: Field, value: Any, base: str) -> dict[str, Any]:
    with suppress(ValueInvalid):
        value = field.type.check(value)
    made = control(g.edition, base, field, value, title=_title(field, value))
    return {**made, "id": f"fixed-{made['id']}", "name": _name(field), "field": field.name, "required": True}


def _name(field: Field) -> str:
    return f"fixed-{field.name}"


def _title(field: Field, value: Any) -> str:
    """What a record is called that all rows refer to."""
    if not isinstance(field.type, Reference) or not isinstance(value, int):
        return ""
    with suppress(TrellisError):
        return title_of(g.edition.entity(field.type.entity), g.records.get(field.type.entity, value))
    return ""
