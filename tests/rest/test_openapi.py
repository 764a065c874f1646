"""The OpenAPI document: whole, of this edition, and true, whatever a program sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from callers import Client
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from samples import gym, registry
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from trellis.config import Config
from trellis.enabling import disable, enable
from trellis.installation import Installation
from trellis.testing.templates import Prepare
from trellis.workspace import Workspace

SUBJECTS = (
    "/scripts",
    "/customer",
    "/opportunity",
    "/kpis",
    "/segments",
    "/analytics",
    "/events",
    "/notifications",
    "/entities",
    "/imports",
    "/plugins",
)
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
)


def enable_gym(config: Config) -> None:
    installation = Installation(config, registry(gym()))
    enable(installation.workspace("acme"), "gym")
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return enable_gym


@pytest.fixture
def installation(open_installation: Any) -> Installation:
    opened: Installation = open_installation(plugins=registry(gym()))
    return opened


def document(client: Client, **headers: str) -> dict[str, Any]:
    response = client.get("/openapi.json", headers=headers)
    assert response.status_code == 200, response.text
    return response.json  # type: ignore[no-any-return]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for one in part.values():
            yield from references(one)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def test_every_entity_has_its_calls_and_every_reference_leads_somewhere(client: Client) -> None:
    spec = document(client)
    assert spec["openapi"].startswith("3.1")
    for entity in client.get("/entities").json["items"]:
        name = entity["name"]
        assert {"get", "post"} <= set(spec["paths"][f"/{name}"])
        assert {"get", "patch", "delete"} <= set(spec["paths"][f"/{name}/{{id}}"])
        assert "post" in spec["paths"][f"/{name}:batch"]
    for reference in set(references(spec)):
        place: Any = spec
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    names = [one["operationId"] for path in spec["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_it_follows_the_edition_and_the_language(client: Client, workspace: Workspace) -> None:
    spec = document(client)
    assert spec["components"]["schemas"]["customer"]["properties"]["gym.card"]["x-plugin"] == "gym"
    russian = document(client, **{"Accept-Language": "ru"})
    assert russian["paths"]["/customer"]["get"]["summary"] != spec["paths"]["/customer"]["get"]["summary"]
    disable(workspace, "gym")
    after = document(client)
    assert "gym.card" not in after["components"]["schemas"]["customer"]["properties"]
    assert "/gym.membership" not in after["paths"]


OF_ALL = ("/mail-templates", ":draft", ":mail", "/segments")


def test_each_call_of_the_application_is_described(client: Client, app: Flask) -> None:
    described = {
        (path.replace("{id}", "{}"), method)
        for path, operations in document(client)["paths"].items()
        for method in operations
    }
    entity = {"<name:entity>": "opportunity", "<id:record_id>": "{}", "<id:import_id>": "{}"}
    named = {"<name:kpi>": "{kpi}", "<name:segment>": "{segment}", "<name:plugin>": "{plugin}"}
    named |= {
        "<id:step>": "{step}",
        "<id:number>": "{}",
        "<name:process>": "{process}",
        "<name:script>": "{script}",
    }
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("rest.") or rule.endpoint in (
            "rest.openapi",
            "rest.docs",
            "rest.extension",
        ):
            continue
        path = rule.rule.removeprefix("/api/v1/<workspace>")
        if path == "/entities/<name:entity>":
            path = "/entities/{name}"
        path = path.replace("/analytics/<name:analytics>", "/analytics/rfm")
        if "/files" in path or path.endswith(
            ("/documents", *OF_ALL)
        ):  # the same for all entities, so described once
            path = path.replace("<name:entity>", "{name}")
        if "/files" in path or "/versions" in path:
            path = path.replace("<id:number>", "{number}")
        for written, meant in (entity | named).items():
            path = path.replace(written, meant)
        if path.endswith(("/personal-data", ":erase")):  # of people alone
            path = path.replace("/opportunity", "/customer")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method.lower()) in described, rule


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_server_keeps_what_the_document_says(
    client: Client, app: Flask, mode: GenerationMode, database: str
) -> None:
    examples = 3 if database == "postgresql" else 6  # what a call takes is the same on both
    for name in ("Anna", "Boris"):
        client.create("opportunity", name=name, customer=client.create("customer", name=name))
    headers = {"Authorization": f"Bearer {client.token}"}
    schema = schemathesis.openapi.from_wsgi(f"{client.base}/openapi.json", app=app, headers=headers)
    for found in schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith(SUBJECTS):
            continue

        @settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.validate_response(case.call(headers=headers), checks=CHECKS)

        ask()


def test_the_page_shows_every_call_and_needs_somebody(client: Client) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    for path in document(client)["paths"]:
        assert f">{path}<" in page.text
    assert " style=" not in page.text and "<script>" not in page.text
    stranger = client.http.get(f"{client.base}/docs")
    assert (stranger.status_code, stranger.headers["Location"]) == (303, "/acme/login?next=/api/v1/acme/docs")
