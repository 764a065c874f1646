"""What sales have beside their records, in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID

_ = translator("trellis")

_THERE = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_WISHED = {"type": "boolean"}


def sales_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The conversion of leads, quotes of opportunities, orders of quotes, runs of bonuses."""
    answer = parts.record_answer(_schema("lead"), _("The lead, with links to what it became"))
    call = parts.operation(
        "convert_lead",
        _("Make a customer of a lead"),
        str(edition.entity("lead").info.plural),
        {"200": answer},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=parts.refs("id", "if_match", "idempotency_key"),
        requestBody=parts.json_body(_body()),
    )
    yield "/lead/{id}:convert", {"post": call}
    made = (
        ("opportunity", "quote", _("Make a quote with the products of an opportunity")),
        ("quote", "order", _("Make an order of an accepted quote")),
    )
    for entity, new, summary in made:
        call = parts.operation(
            f"{new}_{entity}",
            summary,
            str(edition.entity(entity).info.plural),
            {"201": parts.record_answer(_schema(new), _("The new record"), place=True)},
            problems="400 401 403 404 409 413 415 422",
            parameters=parts.refs("id", "idempotency_key"),
        )
        yield f"/{entity}/{{id}}:{new}", {"post": call}
    yield from _bonus_paths(edition)


def _bonus_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    schemes, runs = (str(edition.entity(f"bonus_{name}").info.plural) for name in ("scheme", "run"))
    key = parts.refs("id", "idempotency_key")
    refused = "400 401 403 404 409 413 415 422"
    run = {"200": parts.record_answer(_schema("bonus_run"), _("The run"))}
    period = {"type": "object", "properties": {"period": {"type": "string"}}, "required": ["period"]}
    call = parts.operation(
        "reckon_bonus_scheme",
        _("Reckon a bonus scheme in a period"),
        schemes,
        run,
        problems=refused,
        parameters=key,
        requestBody=parts.json_body({**period, "additionalProperties": False}),
    )
    yield "/bonus_scheme/{id}:reckon", {"post": call}
    differ = parts.read(
        "list_bonus_differences",
        _("What would change if a run were reckoned now"),
        runs,
        parts.ITEMS,
        problems="400 401 403 404 409",
        parameters=parts.refs("id"),
    )
    yield "/bonus_run/{id}/differences", {"get": differ}
    changed = {"200": parts.json_answer(parts.OBJECT, _("How many statements changed"))}
    acts = (
        ("reckon", _("Bring an open run of bonuses up to date"), changed),
        ("close", _("Close a run of bonuses for good"), run),
    )
    for act, summary, answers in acts:
        name = f"{act}_bonus_run"
        call = parts.operation(name, summary, runs, answers, problems=refused, parameters=key)
        yield f"/bonus_run/{{id}}:{act}", {"post": call}


def _schema(entity: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{entity}"}


def _body() -> dict[str, Any]:
    told = {
        "customer": _(
            "The id of one that is there, or values that differ from the proposal; as proposed without it"
        ),
        "contact": _(
            "Likewise, or whether to make one; without it one is made where the lead names a company"
        ),
        "opportunity": _(
            "Values that differ from the proposal, or whether to make one; without it none is made"
        ),
    }
    forms: dict[str, list[dict[str, Any]]] = {
        "customer": [_THERE, _values("customer")],
        "contact": [_THERE, _values("contact"), _WISHED],
        "opportunity": [_values("opportunity"), _WISHED],
    }
    properties = {name: {"anyOf": forms[name], "description": str(about)} for name, about in told.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _values(entity: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{entity}.changes"}
