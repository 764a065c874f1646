"""The part of the OpenAPI document on journeys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.crm.marketing.journeys.words import MEMBER_STATES
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.rest.openapi_surveys import WHO

_ = translator("trellis")

_ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_REFUSED = "400 401 403 404 409 413 415 422"
_ONE: dict[str, Any] = {
    "type": "object",
    "properties": {"customer": _ID},
    "required": ["customer"],
    "additionalProperties": False,
}


def journey_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """Journeys of the edition; acts on one's own; their figures and customers."""
    tag = str(edition.entity("journey").info.plural)
    brought = parts.read(
        "list_brought_journeys",
        _("The journeys that the edition brings, with their plans"),
        tag,
        parts.ITEMS,
        problems="400 401 403",
    )
    yield "/journeys", {"get": brought}
    key = parts.refs("id", "idempotency_key")
    record = parts.record_answer({"$ref": "#/components/schemas/journey"}, _("The journey"))
    acts = (
        ("publish", _("Start a journey by its plan, or use its plan from now on")),
        ("pause", _("Pause a journey: everybody stands where they are")),
        ("resume", _("Let a paused journey go on")),
        ("stop", _("End a journey for all who are on it")),
    )
    for act, summary in acts:
        call = parts.operation(
            f"{act}_journey", summary, tag, {"200": record}, problems=_REFUSED, parameters=key
        )
        yield f"/journey/{{id}}:{act}", {"post": call}
    entered = parts.operation(
        "enter_journey",
        _("Bring the customers of a segment in, or these; in the background"),
        tag,
        {"202": parts.json_answer(parts.OBJECT, _("The number of the job"))},
        problems=_REFUSED,
        parameters=key,
        requestBody=parts.json_body(WHO),
    )
    yield "/journey/{id}:enter", {"post": entered}
    out = parts.operation(
        "leave_journey",
        _("End the journey of one customer"),
        tag,
        {"200": parts.json_answer(parts.OBJECT, _("Who was taken out"))},
        problems=_REFUSED,
        parameters=key,
        requestBody=parts.json_body(_ONE),
    )
    yield "/journey/{id}:take-out", {"post": out}
    yield from _reads(tag)


def _reads(tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    version = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
    figures = parts.read(
        "read_journey_figures",
        _("Who is where, what became of each step, and treated beside control"),
        tag,
        parts.OBJECT,
        problems="400 401 403 404",
        parameters=[
            *parts.refs("id"),
            _query("version", _("Its number; the last one when not given"), version),
        ],
    )
    yield "/journey/{id}/figures", {"get": figures}
    members = parts.read(
        "list_journey_members",
        _("Who is on a journey, or was, the newest first"),
        tag,
        parts.PAGE,
        problems="400 401 403 404",
        parameters=[
            *parts.refs("id", "limit"),
            _query("before", _("“next” of the page before"), {**_ID, "minimum": 0}),
            _query("state", _("Only those in this state"), {"type": "string", "enum": list(MEMBER_STATES)}),
            _query("step", _("Only those who stand at this step"), {"type": "string"}),
        ],
    )
    yield "/journey/{id}/members", {"get": members}


def _query(name: str, about: Any, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": str(about), "schema": schema}
