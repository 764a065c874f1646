"""The part of the OpenAPI document on notifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.i18n import translator
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

_WAYS = {
    "type": "object",
    "properties": {"in_app": {"type": "boolean"}, "mail": {"type": "boolean"}},
    "additionalProperties": False,
}
_CHOICES = {"type": "object", "additionalProperties": _WAYS}


def notification_paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls on notifications."""
    tag = str(_("Notifications"))
    unread = {"in": "query", "name": "unread", "schema": {"type": "boolean"}}
    listed = parts.read(
        "list_notifications",
        _("What the caller was told, the newest first"),
        tag,
        parts.PAGE,
        problems="400 401",
        parameters=[*parts.refs("limit", "cursor"), unread],
    )
    yield "/notifications", {"get": listed}
    yield "/notifications:read", {"post": _mark("read_notifications", _("Mark all as read"), tag, [])}
    one = _mark("read_notification", _("Mark as read"), tag, parts.refs("id"))
    yield "/notifications/{id}:read", {"post": one}
    kinds = parts.read(
        "list_notification_kinds", _("Kinds, and how the caller is told of each"), tag, parts.ITEMS
    )
    chosen = parts.operation(
        "choose_notifications",
        _("Choose how to be told: kind, and whether in the app and by mail"),
        tag,
        {"200": parts.json_answer(parts.ITEMS, _("All kinds as they are now"))},
        problems="400 401 403 404 415 422",
        requestBody={"required": True, "content": {"application/json": {"schema": _CHOICES}}},
    )
    yield "/notifications/kinds", {"get": kinds, "patch": chosen}


def _mark(name: str, about: Any, tag: str, parameters: list[Any]) -> dict[str, Any]:
    return parts.operation(
        name,
        about,
        tag,
        {"200": parts.json_answer(parts.OBJECT, about)},
        problems="400 401 403 404 409",
        parameters=[*parameters, *parts.refs("idempotency_key")],
    )
