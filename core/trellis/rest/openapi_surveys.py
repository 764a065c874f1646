"""The part of the OpenAPI document on inviting to surveys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.rest.surveys import MOST_CUSTOMERS

_ = translator("trellis")

WHO: dict[str, Any] = {
    "type": "object",
    "properties": {
        "segment": {"type": "string", "description": "name of a segment of customers"},
        "customers": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
            "maxItems": MOST_CUSTOMERS,
        },
    },
    "additionalProperties": False,
}
_COUNTS = ("chosen", "invited", "no_address", "refused", "recent", "enough", "waiting", "mails")
_COUNTED: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "integer", "minimum": 0} for name in _COUNTS},
    "required": list(_COUNTS),
}


def survey_paths(tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inviting customers."""
    invited = parts.operation(
        "invite_survey",
        _("Invite the customers of a segment, or these, and send what waits; in the background"),
        tag,
        {
            "202": parts.json_answer(
                _COUNTED, _("How many are invited, and how many are left out for which reason")
            )
        },
        problems="400 401 403 404 409 413 415 422",
        parameters=parts.refs("id", "idempotency_key"),
        requestBody=parts.json_body(WHO),
    )
    yield "/survey/{id}:invite", {"post": invited}
