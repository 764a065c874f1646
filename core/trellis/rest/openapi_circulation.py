"""The part of the OpenAPI document on versions of documents and their approval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.crm.customers.circulation.entities import APPROVE, SIGN
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.rest.openapi_files import SENT

_ = translator("trellis")

_ID = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_ASKED = {
    "type": "object",
    "properties": {
        "route": _ID,
        "people": {
            "type": "array",
            "items": _ID,
            "description": "one after the other, where there is no route",
        },
        "action": {"type": "string", "enum": [APPROVE, SIGN], "description": "what these people do"},
        "days": {"type": "integer", "minimum": 1, "maximum": 365},
    },
    "additionalProperties": False,
}
_REASON = {
    "type": "object",
    "properties": {"reason": {"type": "string"}},
    "required": ["reason"],
    "additionalProperties": False,
}
_NOTHING = {"type": "object", "additionalProperties": False}
_REFUSED = "400 401 403 404 409 413 415 422"


def circulation_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls on a document beside those that it shares with all records."""
    tag = str(edition.entity("document").info.plural)
    seen = parts.read(
        "show_circulation",
        _("The versions of a document with their hashes, and the steps of its approvals"),
        tag,
        parts.OBJECT,
        problems="400 401 404",
        parameters=parts.refs("id"),
    )
    yield "/document/{id}/circulation", {"get": seen}
    content = {"multipart/form-data": {"schema": SENT}, "application/json": {"schema": _NOTHING}}
    added = parts.operation(
        "add_document_version",
        _("Keep a file as the next version, or make it again of its template"),
        tag,
        {"201": parts.json_answer(parts.OBJECT, _("The version"))},
        problems=_REFUSED,
        parameters=parts.refs("id", "idempotency_key"),
        requestBody={"required": True, "content": content},
    )
    yield "/document/{id}/versions", {"post": added}
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    number = {"name": "number", "in": "path", "required": True, "schema": _ID}
    read = parts.operation(
        "get_document_version",
        _("The file of a version"),
        tag,
        {"200": {"description": str(_("As it was kept")), "content": binary}},
        problems="400 401 404",
        parameters=[*parts.refs("id"), number],
    )
    yield "/document/{id}/versions/{number}", {"get": read}
    for act, summary, body in (
        ("send", _("Send a document for approval along a route, or to people"), _ASKED),
        ("take-back", _("Make a document a draft again"), None),
        ("void", _("Say that a document holds no more"), _REASON),
    ):
        yield f"/document/{{id}}:{act}", {"post": _act(act, summary, tag, body)}


def _act(act: str, summary: object, tag: str, body: dict[str, Any] | None) -> dict[str, Any]:
    answer = parts.record_answer({"$ref": "#/components/schemas/document"}, _("The document"))
    sent = {"requestBody": parts.json_body(body)} if body else {}
    return parts.operation(
        f"{act.replace('-', '_')}_document",
        summary,
        tag,
        {"200": answer},
        problems=_REFUSED,
        parameters=parts.refs("id", "idempotency_key"),
        **sent,
    )
