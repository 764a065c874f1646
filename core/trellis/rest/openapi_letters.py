"""The part of the OpenAPI document on mails from records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

_MAIL = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("to", "subject", "text")},
        "files": {"type": "array", "items": {"type": "integer"}, "description": "ids of files of the record"},
    },
    "required": ["to", "subject", "text"],
    "additionalProperties": False,
}
_DRAFT = {
    "type": "object",
    "properties": {"template": {"type": "string", "description": "its name, as the list says"}},
    "required": ["template"],
    "additionalProperties": False,
}


def letter_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls on mails; ``name`` is that of any entity."""
    tag, of = str(_("Mails")), [parts.named("name", edition.entities)]
    listed = parts.read(
        "list_mail_templates",
        _("Templates of mails for records of an entity"),
        tag,
        parts.ITEMS,
        problems="400 401 404",
        parameters=of,
    )
    yield "/{name}/mail-templates", {"get": listed}
    for act, about, body, status in (
        ("draft", _("Subject and text of a mail, by a template"), _DRAFT, "200"),
        ("mail", _("Send a mail from a record; it is kept as an activity"), _MAIL, "202"),
    ):
        call = parts.operation(
            f"{act}_of_record",
            about,
            tag,
            {status: parts.json_answer(parts.OBJECT, about)},
            problems="400 401 403 404 409 413 415 422",
            parameters=[*of, *parts.refs("id", "idempotency_key")],
            requestBody={"required": True, "content": {"application/json": {"schema": body}}},
        )
        yield f"/{{name}}/{{id}}:{act}", {"post": call}
