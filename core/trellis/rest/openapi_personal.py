"""The part of the OpenAPI document on personal data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.privacy import is_person
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

ERASURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "erased": {"type": "boolean"},
        "overwritten": {"type": "array", "items": {"type": "object"}},
        "files": {"type": "integer"},
        "kept": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["erased", "overwritten", "files", "kept"],
}


def _asked() -> dict[str, Any]:
    name = {"type": "string", "description": str(_("What the record is called, to confirm"))}
    properties = {"name": name, "dry_run": {"type": "boolean", "default": False}}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def personal_data_paths(view: EntityView, name: str, tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls on people."""
    if not is_person(view):
        return
    title = str(view.info.title)
    everything = parts.operation(
        f"personal_data_{name}",
        _("Everything that is kept about a person: %(entity)s", entity=title),
        tag,
        {"200": parts.json_answer(parts.OBJECT, _("Records, files, timeline and history"))},
        problems="400 401 403 404",
        parameters=parts.refs("id"),
    )
    yield f"/{view.name}/{{id}}/personal-data", {"get": everything}
    erased = parts.operation(
        f"erase_{name}",
        _("Erase the personal data of a person: %(entity)s", entity=title),
        tag,
        {"200": parts.json_answer(ERASURE, _("What was overwritten, and what stays and why"))},
        problems="400 401 403 404 409 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
        requestBody={"required": True, "content": {"application/json": {"schema": _asked()}}},
    )
    yield f"/{view.name}/{{id}}:erase", {"post": erased}
