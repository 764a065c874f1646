"""The OpenAPI document of an edition: every call, every entity with its fields, every answer and every problem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apispec import APISpec

from trellis.contributions import RestEndpoint
from trellis.crm.analytics.answers import ANALYTICS
from trellis.edition import Edition
from trellis.i18n import current_language, translator
from trellis.plugins import core_version
from trellis.rest import openapi_parts as parts
from trellis.rest.openapi_circulation import circulation_paths
from trellis.rest.openapi_files import file_paths
from trellis.rest.openapi_journeys import journey_paths
from trellis.rest.openapi_kpis import kpi_paths
from trellis.rest.openapi_letters import letter_paths
from trellis.rest.openapi_notifications import notification_paths
from trellis.rest.openapi_own_processes import own_process_paths
from trellis.rest.openapi_personal import personal_data_paths
from trellis.rest.openapi_processes import process_paths
from trellis.rest.openapi_records import add_schemas, entity_paths
from trellis.rest.openapi_sales import sales_paths
from trellis.rest.openapi_scripts import script_paths
from trellis.rest.openapi_segments import segment_paths
from trellis.rest.openapi_surveys import survey_paths

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
        add_schemas(spec, view)
    return spec.to_dict()


def _paths(edition: Edition) -> Iterator[tuple[str, dict[str, Operation]]]:
    for view in edition.entities.values():
        yield from entity_paths(view, edition)
        yield from personal_data_paths(view, parts.identifier(view.name), str(view.info.plural))
    yield from sales_paths(edition)
    yield from _catalogue_paths()
    yield from _figure_paths(edition)
    yield from _other_paths(edition)
    yield from file_paths(edition)
    yield from circulation_paths(edition)
    yield from letter_paths(edition)
    yield from journey_paths(edition)
    yield "/report/{id}:send", {"post": _send_report()}
    calls: dict[str, dict[str, Operation]] = {}
    for endpoint in edition.all(RestEndpoint).values():
        path = f"/x/{endpoint.owner}/{endpoint.slug}"
        calls.setdefault(path, {})[endpoint.method.lower()] = _plugin_call(endpoint)
    yield from calls.items()


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
    yield from kpi_paths(edition, tag)
    yield from segment_paths(edition, tag)
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


def _other_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Operation]]]:
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
    yield from own_process_paths(edition)
    yield from script_paths(edition)
    yield from notification_paths()
    yield from survey_paths(str(edition.entity("survey").info.plural))
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


def _send_report() -> Operation:
    return parts.operation(
        "send_report",
        _("Send a report to its recipients now"),
        str(_("Reports")),
        {"202": parts.json_answer(parts.OBJECT, _("How many deliveries are on their way"))},
        problems="400 401 403 404 409",
        parameters=parts.refs("id", "idempotency_key"),
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
        f"{endpoint.method.lower()}_{parts.identifier(endpoint.name)}",
        endpoint.title,
        endpoint.owner,
        {"200": parts.json_answer({}, _("What the plugin answers"))},
        problems="400 401 403 404 422 500",
        **about,
    )
