"""Between a row of a table and the values of a record by their REST names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trellis.edition import EntityView


def decode(view: EntityView, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a record, by field name, from a row of its table (extension fields from ``extra``)."""
    extra = row.get("extra") or {}
    return {
        name: field.type.from_extra(extra.get(name)) if field.column is None else row[field.column]
        for name, field in view.fields.items()
    }


def encode(view: EntityView, values: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Column values for writing. ``extra`` is what the record holds now: values of other plugins stay in it."""
    columns: dict[str, Any] = {}
    extended = dict(extra)
    for name, value in values.items():
        field = view.fields[name]
        if field.column is not None:
            columns[field.column] = value
        elif value is None:
            extended.pop(name, None)
        else:
            extended[name] = field.type.to_extra(value)
    if extended != extra:
        columns["extra"] = extended
    return columns


def to_json(view: EntityView, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as REST shows them."""
    return {name: view.fields[name].type.to_json(value) for name, value in values.items()}


def difference(
    view: EntityView, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """(old, new) JSON values of the fields that differ."""
    changed: dict[str, tuple[Any, Any]] = {}
    for name, value in after.items():
        old = before.get(name)
        if old != value:
            convert = view.fields[name].type.to_json
            changed[name] = (convert(old), convert(value))
    return changed


def created(
    forms: Mapping[str, Callable[[Any], Any]], values: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """:func:`difference` from nothing; ``forms`` make JSON of values that are none (:class:`~trellis.records.plan.Plan`)."""
    return {
        name: (None, forms[name](value) if name in forms else value)
        for name, value in values.items()
        if value is not None
    }
