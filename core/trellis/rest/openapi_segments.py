"""The part of the OpenAPI document that says what segments are, and how an organisation keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Segment
from trellis.edition import OWN, Edition
from trellis.i18n import translator
from trellis.records.rules.parse import MOST_LOOKUPS
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID
from trellis.segments.own import LONGEST_TITLE, TONES

_ = translator("trellis")

_IDS = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
    "maxItems": 10_000,
}
_CHANGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": LONGEST_TITLE},
        "description": {"type": "string"},
        "tone": {"type": "string", "enum": list(TONES)},
        "rule": {
            "type": "object",
            "description": f"as in “filter”; at most {MOST_LOOKUPS} segments and figures of related records",
        },
    },
    "additionalProperties": False,
}
_NEW: dict[str, Any] = {
    **_CHANGE,
    "properties": {
        **_CHANGE["properties"],
        "entity": {"type": "string", "default": "customer"},
        "listed": {"type": "boolean", "description": "a list of chosen members, which has no rule"},
    },
    "required": ["title"],
}
_ADD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ids": _IDS,
        "field": {"type": "string", "description": "the field that “values” are of: external_id"},
        "values": {"type": "array", "items": {"type": "string"}, "maxItems": 10_000},
    },
    "additionalProperties": False,
}
_TAKE_OUT = {
    "type": "object",
    "properties": {"ids": _IDS},
    "required": ["ids"],
    "additionalProperties": False,
}
_WRITES = "400 401 403 404 409 413 415 422"


def segment_paths(edition: Edition, tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All calls of segments."""
    known = edition.all(Segment)
    segment, own = parts.named("segment", known), parts.named("segment", _of(edition, listed=None))
    read = {"get": parts.read("list_segments", _("Sizes of the segments"), tag, parts.ROWS)}
    yield (
        "/segments",
        {**read, "post": _write("create_segment", _("Make a segment of your own"), tag, _NEW, [], "201")},
    )
    yield (
        "/segments/{segment}",
        {
            "get": _read("get_segment", _("One segment"), tag, segment),
            "patch": _write("change_segment", _("Change a segment of your own"), tag, _CHANGE, [own]),
            "delete": parts.operation(
                "remove_segment",
                _("Remove a segment of your own, with its members and history"),
                tag,
                {"204": {"description": str(_("It is removed"))}},
                problems="400 401 403 404 409",
                parameters=[own],
            ),
        },
    )
    listing = parts.refs("sort", "fields", "limit", "cursor", "count")
    members = _read("list_members", _("Members of a segment"), tag, segment, *listing, schema=parts.PAGE)
    yield "/segments/{segment}/members", {"get": members}
    yield from _about_paths(tag, segment)
    yield _of_record(edition, tag)
    copied = _write("copy_segment", _("Copy a segment, to change the copy"), tag, None, [segment], "201")
    yield "/segments/{segment}:copy", {"post": copied}
    listed = parts.named("segment", _of(edition, listed=True))
    for act, summary, body in (
        ("add", _("Put records into a list, by id or by a key"), _ADD),
        ("remove", _("Take records out of a list"), _TAKE_OUT),
    ):
        yield (
            f"/segments/{{segment}}/members:{act}",
            {"post": _write(f"{act}_members", summary, tag, body, [listed])},
        )


def _about_paths(tag: str, segment: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    since = _query("since", _("The first day, 90 days ago by default"), {"type": "string", "format": "date"})
    history = _("On which days members entered and left, and who did last")
    yield "/segments/{segment}/history", {"get": _read("get_segment_history", history, tag, segment, since)}
    field = _query("field", _("The whole distribution of this field"), {"type": "string"})
    profile = _("A segment of customers beside all customers")
    yield "/segments/{segment}/profile", {"get": _read("get_segment_profile", profile, tag, segment, field)}
    others = _query("with", _("The other segments: a,b"), {"type": "string"})
    overlap = _("How many members segments share")
    answer = _read("get_segment_overlap", overlap, tag, segment, {**others, "required": True})
    yield "/segments/{segment}/overlap", {"get": answer}


def _of_record(edition: Edition, tag: str) -> tuple[str, dict[str, Any]]:
    """``name`` is that of any entity."""
    at = [parts.named("name", edition.entities), *parts.refs("id")]
    summary = _("The segments that a record is in")
    read = parts.read(
        "list_segments_of_record", summary, tag, parts.ROWS, problems="400 401 404", parameters=at
    )
    return "/{name}/{id}/segments", {"get": read}


def _of(edition: Edition, *, listed: bool | None) -> list[str]:
    known = edition.all(Segment).items()
    return [name for name, one in known if one.owner == OWN and listed in (None, one.listed)]


def _read(
    name: str, summary: object, tag: str, segment: dict[str, Any], *more: Any, schema: Any = parts.OBJECT
) -> Any:
    given = [segment, *more]
    return parts.read(name, summary, tag, schema, problems="400 401 403 404", parameters=given)


def _write(
    name: str, summary: object, tag: str, body: Any, parameters: list[Any], status: str = "200"
) -> Any:
    content = (
        {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
    )
    return parts.operation(
        name,
        summary,
        tag,
        {status: parts.json_answer(parts.OBJECT, _("The segment as it is now"))},
        problems=_WRITES,
        parameters=[
            *parameters,
            *(parts.refs("idempotency_key") if status == "201" or body is not _CHANGE else []),
        ],
        **content,
    )


def _query(name: str, about: object, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": str(about), "schema": schema}
