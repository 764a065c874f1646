"""The parts of the OpenAPI document that are the same in every edition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec import APISpec

from trellis.crm.analytics.options import Option
from trellis.i18n import translator
from trellis.rest import problems
from trellis.rest.calls import LARGEST_ID
from trellis.rest.idempotency import HEADER as IDEMPOTENCY
from trellis.rest.idempotency import LONGEST as LONGEST_KEY
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE
from trellis.rest.search import MOST_OF_EACH, OF_EACH

_ = translator("trellis")

Schema = dict[str, Any]

CONVENTIONS = _(
    "Money and other exact numbers are decimal strings, moments are ISO 8601 in UTC. A reference takes an id, or "
    '{"external_id": "..."}. Lists are read page by page: pass the answer\'s “next” as “cursor”. Every list filters by '
    "its fields (city=Riga), with other comparisons behind two underscores (amount__gte=100, stage__in=won,lost, "
    "notes__is_empty=true), or by “filter” with a rule in JSON. Errors are problem documents (RFC 9457)."
)

OBJECT: Schema = {"type": "object"}
ROWS: Schema = {"type": "array", "items": OBJECT}
ITEMS: Schema = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": OBJECT}},
    "required": ["items"],
}
UPLOAD: Schema = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "entity": {"type": "string"},
        "mapping": {
            "type": "string",
            "description": "JSON, or the name of one that a plugin brings. In JSON: columns, and if needed key, fixed (values of "
            "fields that are the same in all rows), make (references by name of which a record is made where there is none), "
            "skip, states, create_only, alike, decimal, dates, delimiter, header, log",
        },
        "key": {"type": "string", "description": "the field that tells whether a record exists already"},
        "dry_run": {"type": "string", "enum": ["true", "false"]},
    },
    "required": ["file", "entity"],
    "additionalProperties": False,
}
EXTERNAL: Schema = {
    "type": "object",
    "properties": {"external_id": {"type": "string"}},
    "required": ["external_id"],
    "additionalProperties": False,
}
BATCH_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "action": {"enum": ["created", "updated"]}},
                "required": ["id", "action"],
            },
        },
        "created": {"type": "integer"},
        "updated": {"type": "integer"},
    },
    "required": ["items", "created", "updated"],
}
_REFUSED: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "title": {"type": "string"},
            "errors": {"type": "object"},
        },
        "required": ["id", "title", "errors"],
    },
}
MASS_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "act": {"enum": ["update", "delete", "restore"]},
        "changed": {"type": "integer"},
        "refused": _REFUSED,
        "undo": {"type": ["integer", "null"], "description": "what the act can be undone by"},
    },
    "required": ["act", "changed", "refused", "undo"],
}
UNDO: Schema = {
    "type": "object",
    "properties": {"change": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}},
    "required": ["change"],
    "additionalProperties": False,
}
DISTINCT: Schema = {
    "type": "object",
    "properties": {
        "from": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        "distinct": {"type": "boolean", "default": True, "description": "false forgets it"},
    },
    "required": ["from"],
    "additionalProperties": False,
}
DISTINCT_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "from": {"type": "integer"},
        "distinct": {"type": "boolean"},
    },
    "required": ["id", "from", "distinct"],
}
PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable, for programs"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "messages by field or parameter",
        },
        "failures": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "errors": {"type": "object"}},
            },
        },
        "refused": _REFUSED,
    },
    "required": ["type", "title", "status", "code"],
}
FOUND: Schema = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "entity": {"type": "string"},
                    "more": {"type": "boolean", "description": "there are others; list the entity with q"},
                    "records": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"id": {"type": "integer"}, "title": {"type": "string"}},
                            "required": ["id", "title"],
                        },
                    },
                },
                "required": ["entity", "more", "records"],
            },
        }
    },
    "required": ["items"],
}
LIST = ("filter", "q", "sort", "fields", "limit", "cursor", "count", "deleted")


def page_of(item: Schema) -> Schema:
    """The schema of a page of ``item``."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"]},
            "total": {"type": "integer"},
        },
        "required": ["items", "next"],
    }


PAGE = page_of(OBJECT)


def _query(name: str, about: object, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _path(name: str, about: object, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _header(name: str, about: object, schema: Schema) -> Schema:
    return {"name": name, "in": "header", "description": about, "schema": schema}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": PER_PAGE}
_EACH: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_OF_EACH, "default": OF_EACH}
_KEY: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}

PARAMETERS: dict[str, Schema] = {
    "id": _path("id", _("Id of the record"), {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}),
    "name": _path("name", _("Name of the entity"), _TEXT),
    "plugin": _path("plugin", _("Name of the plugin"), _TEXT),
    "filter": _query(
        "filter", _('A rule: {"field": "city", "op": "eq", "value": "Riga"}, all, any, not'), _TEXT
    ),
    "q": _query("q", _("Words that must all be found"), _TEXT),
    "sort": _query("sort", _("Fields, “-” before those in descending order: -created_at,name"), _TEXT),
    "fields": _query("fields", _("Only these fields, also through references: name,owner.name"), _TEXT),
    "limit": _query("limit", _("Records on a page"), _LIMIT),
    "cursor": _query("cursor", _("“next” of the page before"), _TEXT),
    "count": _query("count", _("Also count all pages, in “total”"), _FLAG),
    "deleted": _query("deleted", _("What is in the bin instead"), _FLAG),
    "period": _query(
        "period",
        _("2026, 2026-Q3, 2026-10, 2026-W41, 2026-10-23, 2026-01-15..2026-03-10 or last-30-days"),
        _TEXT,
    ),
    "by": _query("by", _("unit, person, channel, segment, or a breakdown of the KPI's own"), _TEXT),
    "unit": _query(
        "unit",
        _("Id of a unit: only what belongs to it and to those below it, held against its plan"),
        {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
    ),
    "points": _query(
        "points", _("How many periods up to this one to give as a series"), {"type": "integer", "maximum": 60}
    ),
    "after": _query(
        "after", _("Id of the last event seen"), {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    ),
    "entities": _query("entities", _("Only these entities: customer,lead"), _TEXT),
    "each": _query("limit", _("Records of each entity"), _EACH),
    "entity": _query("entity", _("Only events of this entity"), _TEXT),
    "if_match": _header(
        "If-Match", _("The ETag last read; 412 when somebody changed the record since"), _TEXT
    ),
    "idempotency_key": _header(
        IDEMPOTENCY, _("Sent again with the same key, the call does nothing twice"), _KEY
    ),
}


def refs(*names: str) -> list[Schema | str]:
    """Parameters that are components, by name."""
    return list(names)


def option(declared: Option) -> Schema:
    """The parameter that an option of the analytics is."""
    default = {} if declared.default is None else {"default": declared.default}
    return _query(declared.name, str(declared.help), {**declared.schema, **default})


def named(name: str, known: Iterable[str]) -> Schema:
    """A part of the path that is one of the names in this edition."""
    names = list(known)
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", **({"enum": names} if names else {})},
    }


def json_answer(schema: Schema, about: object) -> Schema:
    """An answer in JSON."""
    return {"description": str(about), "content": {"application/json": {"schema": schema}}}


def record_answer(schema: Schema, about: object, *, place: bool = False) -> Schema:
    """An answer with one record, its ETag and, for a new one, its address."""
    headers: Schema = {"ETag": {"schema": _TEXT}}
    if place:
        headers["Location"] = {"schema": _TEXT}
    return {**json_answer(schema, about), "headers": headers}


def operation(
    name: str, summary: object, tag: str, answers: dict[str, Any], *, problems: str, **more: Any
) -> dict[str, Any]:
    """One call with its answers, and its problems by status."""
    refused = {status: {"$ref": f"#/components/responses/problem{status}"} for status in problems.split()}
    return {
        "operationId": name,
        "summary": str(summary),
        "tags": [tag],
        "responses": {**answers, **refused, "default": {"$ref": "#/components/responses/problem"}},
        **more,
    }


def read(
    name: str, summary: object, tag: str, schema: Schema, *, problems: str = "400 401 403", **more: Any
) -> dict[str, Any]:
    """A call that only reads."""
    answers = {"200": json_answer(schema, _("What was asked for"))}
    return operation(name, summary, tag, answers, problems=problems, **more)


def add_components(spec: APISpec) -> None:
    """What operations refer to."""
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", PROBLEM)
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, title in problems.TITLES.items():
        spec.components.response(f"problem{status}", {"description": str(title), "content": content})
    spec.components.response("problem", {"description": str(_("Any other problem")), "content": content})
    for name, parameter in PARAMETERS.items():
        described = {**parameter, "description": str(parameter["description"])}
        spec.components.parameter(name, described["in"], described)


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """A body in JSON that must be there."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def identifier(name: str) -> str:
    """The name of an entity as it can stand in the name of a schema."""
    return name.replace(".", "_")
