"""The OpenAPI document of an edition: every call, every entity with its fields, every answer and every problem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apispec import APISpec

from trellis.contributions import Kpi, RestEndpoint
from trellis.crm.analytics.answers import ANALYTICS
from trellis.edition import Edition, EntityView
from trellis.i18n import current_language, translator
from trellis.plugins import core_version
from trellis.records.entity import Field
from trellis.records.mass import MOST
from trellis.records.rules import operators
from trellis.rest import openapi_groups
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.rest.openapi_personal import personal_data_paths
from trellis.rest.openapi_processes import process_paths
from trellis.rest.openapi_segments import segment_paths
from trellis.rest.records import MOST_WRITES

_ = translator("trellis")

Operation = dict[str, Any]
VERSION = "3.1.0"


def document(edition: Edition) -> dict[str, Any]:
    """The document in the language of the reader; made once for an edition."""
    return edition.cached(("openapi", current_language()), lambda: _build(edition))  # type: ignore[no-any-return]


def _build(edition: Edition) -> dict[str, Any]:
    settings = edition.settings
    plugins = ", ".join(f"{manifest.title} {manifest.version}" for manifest in edition.plugins)
    about = [_("Records, figures and changes of one workspace."), parts.CONVENTIONS]
    if plugins:
        about.insert(1, _("Enabled plugins: %(plugins)s.", plugins=plugins))
    spec = APISpec(
        title=str(_("%(title)s: REST", title=settings.title or edition.workspace)),
        version=core_version(),
        openapi_version=VERSION,
        info={"description": "\n\n".join(str(one) for one in about)},
        servers=[{"url": f"/api/v1/{edition.workspace}"}],
        security=[{"token": []}],
    )
    parts.add_components(spec)
    for path, operations in _paths(edition):
        spec.path(path=path, operations=operations)
    spec.components.schema("undo", parts.UNDO)
    for view in edition.entities.values():
        _add_schemas(spec, view)
    return spec.to_dict()


def _paths(edition: Edition) -> Iterator[tuple[str, dict[str, Operation]]]:
    for view in edition.entities.values():
        yield from _entity_paths(view)
        yield from personal_data_paths(view, _identifier(view.name), str(view.info.plural))
    yield from _catalogue_paths()
    yield from _figure_paths(edition)
    yield from _other_paths()
    calls: dict[str, dict[str, Operation]] = {}
    for endpoint in edition.all(RestEndpoint).values():
        path = f"/x/{endpoint.owner}/{endpoint.slug}"
        calls.setdefault(path, {})[endpoint.method.lower()] = _plugin_call(endpoint)
    yield from calls.items()


def _entity_paths(view: EntityView) -> Iterator[tuple[str, dict[str, Operation]]]:
    name = _identifier(view.name)
    record, tag = {"$ref": f"#/components/schemas/{name}"}, str(view.info.plural)
    one, many = str(view.info.title), str(view.info.plural)
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
                parameters=[*parts.refs(*parts.LIST), *(_filter(field) for field in _filters(view))],
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
        parameters=openapi_groups.parameters([_filter(field) for field in _filters(view)]),
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
        requestBody=_json_body(parts.OBJECT),
    )
    yield f"/{view.name}:duplicates", {"post": given}
    merged = call(
        "merge",
        _("Merge another record into this one: %(entity)s", entity=one),
        {"200": found},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
        requestBody=_json_body(_merge_schema()),
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
        requestBody=_json_body(parts.DISTINCT),
    )
    yield f"/{view.name}/{{id}}:distinct", {"post": apart}
    if view.lifecycles:
        moved = call(
            "move",
            _("Move to another stage: %(entity)s", entity=one),
            {"200": found},
            problems="400 401 403 404 409 412 413 415 422",
            parameters=parts.refs("id", "if_match", "idempotency_key"),
            requestBody=_json_body(_move_schema(view)),
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


def _add_schemas(spec: APISpec, view: EntityView) -> None:
    name = _identifier(view.name)
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


def _filters(view: EntityView) -> list[Field]:
    taken = {parts.PARAMETERS[name]["name"] for name in parts.LIST}
    return [field for field in view.fields.values() if operators(field) and field.name not in taken]


def _filter(field: Field) -> dict[str, Any]:
    known = ", ".join(f"{field.name}__{operator}" for operator in operators(field))
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


def _catalogue_paths() -> Iterator[tuple[str, dict[str, Operation]]]:
    tag = str(_("What exists"))
    yield "/entities", {"get": parts.read("list_entities", _("Entities and your rights"), tag, parts.ITEMS)}
    yield (
        "/entities/{name}",
        {
            "get": parts.read(
                "get_entity",
                _("Fields, stages and rights of an entity"),
                tag,
                parts.OBJECT,
                problems="400 401 404",
                parameters=parts.refs("name"),
            )
        },
    )


def _figure_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Operation]]]:
    tag = str(_("Figures"))
    period, by = parts.refs("period", "by")
    yield (
        "/kpis",
        {"get": parts.read("list_kpis", _("All KPIs in a period"), tag, parts.ROWS, parameters=[period])},
    )
    yield (
        "/kpis/{kpi}",
        {
            "get": parts.read(
                "get_kpi",
                _("One KPI, split and over time"),
                tag,
                parts.OBJECT,
                problems="400 401 404",
                parameters=[parts.named("kpi", edition.all(Kpi)), period, by, *parts.refs("points")],
            )
        },
    )
    yield from segment_paths(edition, tag)
    yield "/kpis/{kpi}:accept", {"post": _accept(tag, edition)}
    yield (
        "/analytics",
        {"get": parts.read("list_analytics", _("Which analytics there are"), tag, parts.ITEMS)},
    )
    for name, analytics in ANALYTICS.items():
        read = parts.read(
            f"analytics_{name}",
            _("Analytics: %(name)s", name=name),
            tag,
            parts.OBJECT,
            parameters=[parts.option(one) for one in analytics.options],
        )
        yield f"/analytics/{name}", {"get": read}


def _other_paths() -> Iterator[tuple[str, dict[str, Operation]]]:
    changes, administration = str(_("Changes")), str(_("Administration"))
    yield (
        "/events",
        {
            "get": parts.read(
                "list_events",
                _("What was written, in order"),
                changes,
                parts.PAGE,
                problems="400 401 404",
                parameters=parts.refs("after", "entity", "limit"),
            )
        },
    )
    yield "/imports", {"post": _upload(changes), "get": _imports(changes)}
    yield (
        "/imports/{id}",
        {
            "get": parts.read(
                "get_import",
                _("Progress and result of an import"),
                changes,
                parts.OBJECT,
                problems="400 401 404",
                parameters=parts.refs("id"),
            )
        },
    )
    search = parts.read(
        "search",
        _("Records of all entities that have all words, the best first"),
        str(_("Search")),
        parts.FOUND,
        problems="400 401 404",
        parameters=parts.refs("q", "entities", "each"),
    )
    yield "/search", {"get": search}
    yield from process_paths()
    plugin = parts.refs("plugin")
    yield "/plugins", {"get": parts.read("list_plugins", _("All plugins"), administration, parts.ITEMS)}
    yield (
        "/plugins/{plugin}",
        {
            "get": parts.read(
                "get_plugin",
                _("One plugin"),
                administration,
                parts.OBJECT,
                problems="400 401 403 404",
                parameters=plugin,
            )
        },
    )
    for act, summary in (("enable", _("Enable a plugin")), ("disable", _("Disable a plugin; its data stay"))):
        call = parts.operation(
            f"{act}_plugin",
            summary,
            administration,
            {"200": parts.json_answer(parts.OBJECT, _("The plugin as it is now"))},
            problems="400 401 403 404 409",
            parameters=[*plugin, *parts.refs("idempotency_key")],
        )
        yield f"/plugins/{{plugin}}:{act}", {"post": call}


def _accept(tag: str, edition: Edition) -> Operation:
    period = {"type": "object", "properties": {"period": {"type": "string"}}, "required": ["period"]}
    return parts.operation(
        "accept_kpi",
        _("Report what a closed period counts now"),
        tag,
        {"200": parts.json_answer(parts.OBJECT, _("How many figures, with those of units and people"))},
        problems="400 401 403 404 409 413 415 422",
        parameters=[parts.named("kpi", edition.all(Kpi)), *parts.refs("idempotency_key")],
        requestBody={**_json_body({**period, "additionalProperties": False}), "required": True},
    )


def _upload(tag: str) -> Operation:
    return parts.operation(
        "create_import",
        _("Import a file: CSV, a spreadsheet or JSON lines"),
        tag,
        {"201": parts.json_answer(parts.OBJECT, _("Counts, and the first rows that were refused"))},
        problems="400 401 403 404 413 415 422",
        parameters=parts.refs("idempotency_key"),
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": parts.UPLOAD}}},
    )


def _imports(tag: str) -> Operation:
    return parts.read(
        "list_imports", _("Imports over REST"), tag, parts.PAGE, parameters=parts.refs("limit", "cursor")
    )


def _plugin_call(endpoint: RestEndpoint) -> Operation:
    about = {"description": str(endpoint.description)} if endpoint.description else {}
    return parts.operation(
        f"{endpoint.method.lower()}_{_identifier(endpoint.name)}",
        endpoint.title,
        endpoint.owner,
        {"200": parts.json_answer({}, _("What the plugin answers"))},
        problems="400 401 403 404 422 500",
        **about,
    )


def _body(schema: str) -> dict[str, Any]:
    return _json_body({"$ref": f"#/components/schemas/{schema}"})


def _json_body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _identifier(name: str) -> str:
    return name.replace(".", "_")
