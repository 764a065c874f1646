"""The calls of one entity in the OpenAPI document: its records, acts on many, and their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apispec import APISpec

from trellis.edition import Edition, EntityView
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.mass import MOST
from trellis.records.rules import Operator, operators
from trellis.rest import openapi_groups
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.rest.records import MOST_WRITES

_ = translator("trellis")

Operation = dict[str, Any]


def entity_paths(view: EntityView, edition: Edition) -> Iterator[tuple[str, dict[str, Operation]]]:
    """The calls of one entity, by path."""
    name = parts.identifier(view.name)
    record, tag = {"$ref": f"#/components/schemas/{name}"}, str(view.info.plural)
    one, many = str(view.info.title), str(view.info.plural)
    filters = _filters(view, edition)
    new, changes = _body(f"{name}.new"), _body(f"{name}.changes")

    def call(verb: str, summary: object, answers: dict[str, Any], *, problems: str, **more: Any) -> Operation:
        return parts.operation(f"{verb}_{name}", summary, tag, answers, problems=problems, **more)

    yield (
        f"/{view.name}",
        {
            "get": call(
                "list",
                _("List: %(entity)s", entity=many),
                {"200": parts.json_answer(parts.page_of(record), _("A page"))},
                problems="400 401 403",
                parameters=[*parts.refs(*parts.LIST), *filters],
            ),
            "post": call(
                "create",
                _("Create: %(entity)s", entity=one),
                {"201": parts.record_answer(record, _("The new record"), place=True)},
                problems="400 401 403 409 413 415 422",
                parameters=parts.refs("idempotency_key"),
                requestBody=new,
            ),
        },
    )
    grouped = call(
        "group",
        _("Counts and sums by the value of a field: %(entity)s", entity=many),
        {"200": parts.json_answer(openapi_groups.ANSWER, _("The groups in their order"))},
        problems="400 401 403",
        parameters=openapi_groups.parameters(filters),
    )
    yield f"/{view.name}:groups", {"get": grouped}
    found = parts.record_answer(record, _("The record"))
    yield (
        f"/{view.name}/{{id}}",
        {
            "get": call(
                "get",
                one,
                {"200": found, "307": {"description": str(_("It was merged into the record at Location"))}},
                problems="400 401 404",
                parameters=parts.refs("id", "deleted"),
            ),
            "patch": call(
                "update",
                _("Change: %(entity)s", entity=one),
                {"200": found},
                problems="400 401 403 404 409 412 413 415 422",
                parameters=parts.refs("id", "if_match"),
                requestBody=changes,
            ),
            "delete": call(
                "delete",
                _("Move to the bin: %(entity)s", entity=one),
                {"204": {"description": str(_("It is in the bin"))}},
                problems="400 401 403 404 409 412",
                parameters=parts.refs("id", "if_match"),
            ),
        },
    )
    restored = call(
        "restore",
        _("Bring back from the bin: %(entity)s", entity=one),
        {"200": found},
        problems="400 401 403 404 409 422",
        parameters=parts.refs("id", "idempotency_key"),
    )
    yield f"/{view.name}/{{id}}:restore", {"post": restored}
    alike = {"200": parts.json_answer(parts.ITEMS, _("The likeliest first, with score and reasons"))}
    asked = call(
        "duplicates",
        _("Records that may be this one twice: %(entity)s", entity=one),
        alike,
        problems="400 401 404",
        parameters=parts.refs("id"),
    )
    yield f"/{view.name}/{{id}}/duplicates", {"get": asked}
    given = call(
        "duplicates_of",
        _("Records that may be the one with these values: %(entity)s", entity=one),
        alike,
        problems="400 401 403 409 413 415 422",
        parameters=parts.refs("idempotency_key"),
        requestBody=parts.json_body(parts.OBJECT),
    )
    yield f"/{view.name}:duplicates", {"post": given}
    merged = call(
        "merge",
        _("Merge another record into this one: %(entity)s", entity=one),
        {"200": found},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
        requestBody=parts.json_body(_merge_schema()),
    )
    yield f"/{view.name}/{{id}}:merge", {"post": merged}
    unmerged = call(
        "unmerge",
        _("Take a merge back: %(entity)s", entity=one),
        {"200": found},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
    )
    yield f"/{view.name}/{{id}}:unmerge", {"post": unmerged}
    apart = call(
        "distinct",
        _("Keep that this record and another are not one: %(entity)s", entity=one),
        {"200": parts.json_answer(parts.DISTINCT_ANSWER, _("What is kept"))},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
        requestBody=parts.json_body(parts.DISTINCT),
    )
    yield f"/{view.name}/{{id}}:distinct", {"post": apart}
    if view.lifecycles:
        moved = call(
            "move",
            _("Move to another stage: %(entity)s", entity=one),
            {"200": found},
            problems="400 401 403 404 409 412 413 415 422",
            parameters=parts.refs("id", "if_match", "idempotency_key"),
            requestBody=parts.json_body(_move_schema(view)),
        )
        yield f"/{view.name}/{{id}}:move", {"post": moved}
    batch = call(
        "batch",
        _("Create and change many: %(entity)s", entity=many),
        {"200": parts.json_answer(parts.BATCH_ANSWER, _("All were written"))},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("idempotency_key"),
        requestBody=_body(f"{name}.batch"),
    )
    yield f"/{view.name}:batch", {"post": batch}
    for act, summary, body in (
        (
            "mass",
            _("Change, delete or restore all that a filter finds: %(entity)s", entity=many),
            f"{name}.mass",
        ),
        ("undo", _("Undo an act on many: %(entity)s", entity=many), "undo"),
    ):
        many_at_once = call(
            act,
            summary,
            {"200": parts.json_answer(parts.MASS_ANSWER, _("What was changed, and what was left"))},
            problems="400 401 403 404 409 412 413 415 422",
            parameters=parts.refs("idempotency_key"),
            requestBody=_body(body),
        )
        yield f"/{view.name}:{act}", {"post": many_at_once}


def add_schemas(spec: APISpec, view: EntityView) -> None:
    """The schemas that its calls name."""
    name = parts.identifier(view.name)
    read = {one.name: _property(one) for one in view.fields.values()}
    fixed = {
        "id": {"type": "integer", "readOnly": True},
        "version": {
            "type": "integer",
            "readOnly": True,
            "description": str(_("Rises with each change; the ETag")),
        },
    }
    written = {one.name: _property(one, written=True) for one in view.fields.values() if not one.read_only}
    needed = [
        one.name
        for one in view.fields.values()
        if one.always_required and not one.read_only and one.default is None
    ]
    title = str(view.info.title)
    spec.components.schema(
        name, {"type": "object", "title": title, "properties": {**fixed, **read}, "required": list(fixed)}
    )
    changes = {"type": "object", "properties": written, "additionalProperties": False}
    spec.components.schema(f"{name}.changes", changes)
    new: dict[str, Any] = {**changes, **({"required": needed} if needed else {})}
    spec.components.schema(f"{name}.new", new)
    item = {**changes, "properties": {"id": {"type": "integer"}, "version": {"type": "integer"}, **written}}
    items = {"type": "array", "items": item, "maxItems": MOST_WRITES}
    batch = {
        "type": "object",
        "properties": {"items": items},
        "required": ["items"],
        "additionalProperties": False,
    }
    spec.components.schema(f"{name}.batch", batch)
    spec.components.schema(f"{name}.mass", _mass_schema(f"{name}.changes"))


def _mass_schema(changes: str) -> dict[str, Any]:
    """Which records, and what becomes of them."""
    by_ids = {"required": ["ids"], "not": {"anyOf": [{"required": ["filter"]}, {"required": ["q"]}]}}
    by_filter = {"anyOf": [{"required": ["filter"]}, {"required": ["q"]}], "not": {"required": ["ids"]}}
    values = {"properties": {"act": {"const": "update"}}, "required": ["values"]}
    no_values = {"properties": {"act": {"enum": ["delete", "restore"]}}, "not": {"required": ["values"]}}
    return {
        "type": "object",
        "properties": {
            "act": {"enum": ["update", "delete", "restore"]},
            "ids": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
                "maxItems": MOST,
            },
            "filter": {"type": "object", "description": str(_("A rule; {} finds all"))},
            "q": {"type": "string"},
            "values": {"$ref": f"#/components/schemas/{changes}"},
            "leave_out": {
                "type": "boolean",
                "default": False,
                "description": str(_("Change the others when some cannot be changed")),
            },
        },
        "required": ["act"],
        "allOf": [{"anyOf": [by_ids, by_filter]}, {"anyOf": [values, no_values]}],
        "additionalProperties": False,
    }


def _property(field: Field, *, written: bool = False) -> dict[str, Any]:
    """The schema of a field: its type, empty where it may be, its label and where it comes from."""
    schema = dict(field.type.json_schema())
    about = [str(field.label), *([str(field.help)] if field.help else []), schema.pop("description", "")]
    told: dict[str, Any] = {"description": ". ".join(one for one in about if one)}
    if field.is_extension:
        told["x-plugin"] = field.owner
    if field.read_only:
        told["readOnly"] = True
    if not field.always_required:
        schema = _or_empty(schema)
    if written and field.type.kind == "reference":
        schema = {"anyOf": [schema, parts.EXTERNAL]}
    return {**schema, **told}


def _or_empty(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        return schema
    empty = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        empty["enum"] = [*schema["enum"], None]
    return empty


def _filters(view: EntityView, edition: Edition) -> list[dict[str, Any]]:
    taken = {parts.PARAMETERS[name]["name"] for name in parts.LIST}
    fields = [field for field in view.fields.values() if field.name not in taken]
    return [_filter(field, known) for field in fields if (known := operators(field, edition))]


def _filter(field: Field, fitting: Sequence[Operator]) -> dict[str, Any]:
    known = ", ".join(f"{field.name}__{operator}" for operator in fitting)
    schema = {
        key: value for key, value in field.type.json_schema().items() if key in ("type", "format", "enum")
    }
    about = _("%(label)s is this. Also: %(known)s", label=field.label, known=known)
    return {"name": field.name, "in": "query", "schema": schema, "description": str(about)}


def _merge_schema() -> dict[str, Any]:
    fields = str(_("The fields whose values are taken from the other record"))
    properties = {
        "from": {"type": "integer", "minimum": 1, "description": str(_("The record that goes to the bin"))},
        "fields": {"type": "array", "items": {"type": "string"}, "description": fields},
    }
    return {"type": "object", "properties": properties, "required": ["from"], "additionalProperties": False}


def _move_schema(view: EntityView) -> dict[str, Any]:
    stages = {stage.value: None for lifecycle in view.lifecycles for stage in lifecycle.stages}
    about = str(_("The fields that the stage asks for stand beside it"))
    properties = {"stage": {"type": "string", "enum": list(stages)}}
    return {"type": "object", "properties": properties, "required": ["stage"], "description": about}


def _body(schema: str) -> dict[str, Any]:
    return parts.json_body({"$ref": f"#/components/schemas/{schema}"})
