"""The part of the OpenAPI document that says how lists are grouped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trellis.i18n import translator
from trellis.records.rules import Unit
from trellis.rest import groups
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

_OWN = ("by", "sums", "offset")
_SUM = {
    "type": "object",
    "properties": {"currency": {"type": ["string", "null"]}, "sum": {"type": ["string", "integer"]}},
    "required": ["currency", "sum"],
}
_GROUP = {
    "type": "object",
    "properties": {
        "key": {"type": ["string", "integer", "boolean", "null"]},
        "title": {"type": ["string", "null"], "description": "name of the record that is referred to"},
        "count": {"type": "integer"},
        "filter": {"type": "object", "description": "the rule that finds these records"},
        "sums": {"type": "object", "additionalProperties": {"type": "array", "items": _SUM}},
    },
    "required": ["key", "title", "count", "filter"],
}
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "by": {"type": "string"},
        "items": {"type": "array", "items": _GROUP},
        "total": {"type": "integer", "description": "how many groups there are"},
        "next": {"type": ["integer", "null"], "description": "“offset” of the groups that follow"},
    },
    "required": ["by", "items", "total", "next"],
}


def parameters(filters: Sequence[dict[str, Any]]) -> list[Any]:
    """The parameters of ``:groups``, with the entity's ``filters``."""
    units = ", ".join(Unit)
    by = _("The field; for days also the unit of the calendar, ordered_at:month (%(units)s)", units=units)
    number = {"type": "integer", "minimum": 0, "maximum": groups.FARTHEST, "default": 0}
    limit = {"type": "integer", "minimum": 1, "maximum": groups.MOST_PER_PAGE, "default": groups.PER_PAGE}
    own: list[Any] = [
        {"name": "by", "in": "query", "required": True, "description": str(by), "schema": {"type": "string"}},
        _query("sums", _("Numbers to add up in each group: amount,discount"), {"type": "string"}),
        _query("limit", _("Groups at once"), limit),
        _query("offset", _("How many groups to leave out at the beginning"), number),
    ]
    others = [one for one in filters if one["name"] not in _OWN]
    return [*own, *parts.refs("filter", "q", "deleted"), *others]


def _query(name: str, about: object, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": str(about), "schema": schema}
