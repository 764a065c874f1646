"""Fields that are required or shown under a rule, in forms and on the page of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from trellis.edition import EntityView
from trellis.records import conditions
from trellis.records.conditions import State
from trellis.records.entity import Field, default_value
from trellis.records.query import Record
from trellis.records.types import Rule, ValueInvalid
from trellis.web import ruled
from trellis.web.display import read_form


def states_of(view: EntityView, record: Record) -> dict[str, State]:
    """The states of a record as it is."""
    return conditions.states(g.edition, g.actor, view, record.values)


def states_of_form(view: EntityView, given: Mapping[str, str], record: Record | None) -> dict[str, State]:
    """The states of what is typed into a form; a value that cannot be read counts as none."""
    return conditions.states(g.edition, g.actor, view, _values_of_form(view, given, record))


def told_of_form(
    view: EntityView, base: str, given: Mapping[str, str], record: Record | None
) -> dict[str, Any]:
    """The states of what is typed into a form as scripts read them, and what its rules are now about."""
    values = _values_of_form(view, given, record)
    found = told(view, conditions.states(g.edition, g.actor, view, values))
    for name, declared in view.fields.items():
        if isinstance(declared.type, Rule) and name in found:
            found[name]["over"] = ruled.urls(base, ruled.over(declared, values))
    return found


def told(view: EntityView, states: Mapping[str, State]) -> dict[str, Any]:
    """States as scripts of pages read them."""
    return {
        name.replace(".", "-"): {
            "visible": state.visible,
            "required": state.required,
            "label": str(view.fields[name].label),
        }
        for name, state in states.items()
    }


def in_state(made: dict[str, Any], state: State | None) -> dict[str, Any]:
    """A control or a property with the state of its field; what has an error is shown, so that it can be mended."""
    if state is None:
        return made
    hidden = not state.visible and not made.get("errors")
    return {**made, "ruled": True, "hidden": hidden, "required": state.required}


def _first_values(view: EntityView) -> dict[str, Any]:
    values = {one.name: default_value(one) for one in view.fields.values() if one.default is not None}
    return {"owner": g.actor.user_id, "unit": next(iter(g.actor.units), None), **values}


def _values_of_form(view: EntityView, given: Mapping[str, str], record: Record | None) -> dict[str, Any]:
    values = dict(record.values) if record else _first_values(view)
    for name, declared in view.fields.items():
        if name in given and not declared.read_only:
            value = _read(declared, given[name])
            if value is not None or record is not None:
                values[name] = value
    return values


def _read(declared: Field, text: Any) -> Any:
    try:
        return declared.type.check(read_form(declared, str(text)))
    except ValueInvalid:
        return None
