"""The part of the OpenAPI document that says what KPIs are, and how an organisation keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Direction, Kpi, Level, Unit
from trellis.edition import OWN, Edition
from trellis.i18n import translator
from trellis.kpi.own import AGGREGATES, LONGEST_TEXT, LONGEST_TITLE, NAME
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

_TEXT = {"type": "string"}
_WRITES = "400 401 403 404 409 413 415 422"


def kpi_paths(edition: Edition, tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All calls of KPIs."""
    period, by, unit = parts.refs("period", "by", "unit")
    kpi = parts.named("kpi", edition.all(Kpi))
    own = parts.named("kpi", [name for name, one in edition.all(Kpi).items() if one.owner == OWN])
    every = parts.read("list_kpis", _("All KPIs in a period"), tag, parts.ROWS, parameters=[period, unit])
    made = _write("create_kpi", _("Define a KPI of your own"), tag, _new(), parts.refs("idempotency_key"))
    yield "/kpis", {"get": every, "post": made}
    one = parts.read(
        "get_kpi",
        _("One KPI, split and over time"),
        tag,
        parts.OBJECT,
        problems="400 401 404",
        parameters=[kpi, period, by, unit, *parts.refs("points")],
    )
    removed = parts.operation(
        "remove_kpi",
        _("Stop counting a KPI of your own; its targets and what was reported stay"),
        tag,
        {"204": {"description": str(_("It is removed"))}},
        problems="400 401 403 404 409",
        parameters=[own],
    )
    changed = _write("change_kpi", _("Change a KPI of your own"), tag, _change(), [own])
    yield "/kpis/{kpi}", {"get": one, "patch": changed, "delete": removed}
    declaration = parts.read(
        "get_kpi_declaration",
        _("How a KPI of your own is defined"),
        tag,
        parts.OBJECT,
        problems="400 401 403 404 409",
        parameters=[own],
    )
    yield "/kpis/{kpi}/declaration", {"get": declaration}
    yield "/kpis/{kpi}:accept", {"post": _accept(tag, kpi)}


def _change() -> dict[str, Any]:
    properties = {
        "title": {**_TEXT, "minLength": 1, "maxLength": LONGEST_TITLE},
        "aggregate": {**_TEXT, "enum": list(AGGREGATES)},
        "entity": {**_TEXT, "description": "what is counted; not for a formula"},
        "field": {
            **_TEXT,
            "description": "the number that is summed or compared, or what has the different values",
        },
        "date": {**_TEXT, "description": "the field by which records belong to a period"},
        "rule": {"type": "object", "description": "as in “filter”"},
        "breakdowns": {
            "type": "array",
            "items": _TEXT,
            "description": "fields by which it can be broken down, beside unit, person, channel and segment",
        },
        "expression": {
            **_TEXT,
            "maxLength": LONGEST_TEXT,
            "description": "a formula over other KPIs: revenue / orders",
        },
        "unit": {**_TEXT, "enum": [one.value for one in Unit]},
        "direction": {**_TEXT, "enum": [one.value for one in Direction]},
        "level": {**_TEXT, "enum": [one.value for one in Level]},
        "about": {**_TEXT, "maxLength": LONGEST_TEXT, "description": "in words, how it is counted"},
        "higher_is_better": {"type": "boolean", "default": True},
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _new() -> dict[str, Any]:
    change = _change()
    name = {**_TEXT, "pattern": NAME, "description": "it is called own.<name>"}
    required = ["name", "title", "aggregate", "unit", "direction", "level"]
    return {**change, "properties": {"name": name, **change["properties"]}, "required": required}


def _write(name: str, summary: object, tag: str, body: Any, parameters: list[Any]) -> Any:
    status = "201" if name.startswith("create") else "200"
    return parts.operation(
        name,
        summary,
        tag,
        {status: parts.json_answer(parts.OBJECT, _("How the KPI is defined now"))},
        problems=_WRITES,
        parameters=parameters,
        requestBody={**parts.json_body(body), "required": True},
    )


def _accept(tag: str, kpi: dict[str, Any]) -> Any:
    period = {"type": "object", "properties": {"period": _TEXT}, "required": ["period"]}
    return parts.operation(
        "accept_kpi",
        _("Report what a closed period counts now"),
        tag,
        {"200": parts.json_answer(parts.OBJECT, _("How many figures, with those of units and people"))},
        problems=_WRITES,
        parameters=[kpi, *parts.refs("idempotency_key")],
        requestBody={**parts.json_body({**period, "additionalProperties": False}), "required": True},
    )
