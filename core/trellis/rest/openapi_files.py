"""The part of the OpenAPI document on files at records, and on the documents that are made of templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID

_ = translator("trellis")

SENT = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
    "additionalProperties": False,
}

_ASKED = {
    "type": "object",
    "properties": {
        "template": {"type": "string"},
        "format": {"type": "string", "enum": ["pdf", "html", "docx"]},
    },
    "required": ["template"],
    "additionalProperties": False,
}


def file_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls on files; ``name`` is that of any entity."""
    tag, at = str(_("Files")), [parts.named("name", edition.entities), *parts.refs("id")]
    listed = parts.read(
        "list_files", _("Files at a record"), tag, parts.OBJECT, problems="400 401 404", parameters=at
    )
    added = parts.operation(
        "add_file",
        _("Attach a file to a record"),
        tag,
        {"201": parts.json_answer(parts.OBJECT, _("The file as it is kept"))},
        problems="400 401 403 404 409 413 415 422",
        parameters=[*at, *parts.refs("idempotency_key")],
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": SENT}}},
    )
    yield "/{name}/{id}/files", {"get": listed, "post": added}
    number = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
    one = [*at, {"name": "number", "in": "path", "required": True, "schema": number}]
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    read = parts.operation(
        "get_file",
        _("The content of a file"),
        tag,
        {"200": {"description": str(_("As it was sent")), "content": binary}},
        problems="400 401 404",
        parameters=one,
    )
    gone = parts.operation(
        "remove_file",
        _("Remove a file for good"),
        tag,
        {"204": {"description": str(_("It is removed"))}},
        problems="400 401 403 404 409",
        parameters=one,
    )
    yield "/{name}/{id}/files/{number}", {"get": read, "delete": gone}
    yield "/{name}/{id}/documents", _documents(tag, at)


def _documents(tag: str, at: list[Any]) -> dict[str, Any]:
    listed = parts.read(
        "list_documents",
        _("Templates for documents about a record"),
        tag,
        parts.OBJECT,
        problems="400 401 404",
        parameters=at,
    )
    made = parts.operation(
        "make_document",
        _("Make a document about a record and keep it among its files"),
        tag,
        {"201": parts.json_answer(parts.OBJECT, _("The file as it is kept"))},
        problems="400 401 403 404 409 413 415 422",
        parameters=[*at, *parts.refs("idempotency_key")],
        requestBody=parts.json_body(_ASKED),
    )
    return {"get": listed, "post": made}
