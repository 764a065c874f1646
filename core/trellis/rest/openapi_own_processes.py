"""The part of the OpenAPI document on processes that the organisation draws itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.process.diagram import LARGEST
from trellis.process.own import LONGEST_TEXT, LONGEST_TITLE, MOST_STARTS
from trellis.rest import openapi_parts as parts

_ = translator("trellis")

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT, "maxItems": MOST_STARTS}
_READS, _WRITES = "400 401 403 404", "400 401 403 404 409 413 415 422"
_NAME = {
    "in": "path",
    "name": "process",
    "required": True,
    "schema": {"type": "string", "pattern": "^[^/:]+$"},
}


def own_process_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """Drafts, versions, and instances that move to the newest."""
    tag = str(_("Processes"))
    known = parts.named("process", edition.all(Process))
    listed = parts.read(
        "list_process_drafts",
        _("The processes that the organisation draws"),
        tag,
        parts.ITEMS,
        problems="400 401 403",
    )
    made = _write(
        "create_process_draft",
        _("Begin a process: a draft, which starts nothing"),
        tag,
        [],
        _said(required=("title",)),
        "201",
    )
    yield "/processes/drafts", {"get": listed, "post": made}
    shown = parts.read(
        "show_process_draft",
        _("A draft with its diagram"),
        tag,
        parts.OBJECT,
        problems=_READS,
        parameters=[_NAME],
    )
    changed = _write("change_process_draft", _("Change a draft"), tag, [_NAME], _said())
    removed = parts.operation(
        "remove_process_draft",
        _("Take a process away that has no running instances"),
        tag,
        {"204": {"description": str(_("It is removed"))}},
        problems="400 401 403 404 409",
        parameters=[_NAME],
    )
    yield "/processes/drafts/{process}", {"get": shown, "patch": changed, "delete": removed}
    checked = _write("check_process_draft", _("What stands against publishing a draft"), tag, [_NAME])
    yield "/processes/drafts/{process}:check", {"post": checked}
    published = _write(
        "publish_process_draft", _("Publish a draft; refused while problems stand"), tag, [_NAME]
    )
    yield "/processes/drafts/{process}:publish", {"post": published}
    copied = _write(
        "copy_process",
        _("A draft that begins as a process and, once published, takes its place"),
        tag,
        [known],
        status="201",
    )
    yield "/processes/{process}:copy", {"post": copied}
    yield "/processes/{process}/diagram", {"get": _diagram(tag, known)}
    numbers = parts.read(
        "list_process_versions",
        _("The versions of a process, with how many instances go on with each"),
        tag,
        parts.ITEMS,
        problems=_READS,
        parameters=[known],
    )
    yield "/processes/{process}/versions", {"get": numbers}
    every = _write(
        "move_instances",
        _("Move instances on older versions to the newest; which stay, and why"),
        tag,
        [known],
    )
    yield "/processes/{process}:move", {"post": every}
    one = _write("move_instance", _("Move one instance to the newest version"), tag, parts.refs("id"))
    yield "/processes/instances/{id}:move", {"post": one}


def _said(required: tuple[str, ...] = ()) -> dict[str, Any]:
    properties = {
        "title": {**_TEXT, "minLength": 1, "maxLength": LONGEST_TITLE},
        "description": {**_TEXT, "maxLength": LONGEST_TEXT},
        "entity": {"type": ["string", "null"], "description": "what each instance is about"},
        "keeper": {"type": ["integer", "null"], "minimum": 1, "description": "the id of who answers for it"},
        "starts": {
            **_TEXTS,
            "description": "order.created, case.stage=escalated, segment.own.vip, segment_left.own.vip",
        },
        "schedule": {**_TEXT, "maxLength": LONGEST_TITLE, "description": "as in cron: 0 9 * * 1-5"},
        "starters": {**_TEXTS, "description": "roles that may start it by hand"},
        "managers": {**_TEXTS, "description": "roles that look after its instances"},
        "replaces": {**_TEXT, "description": "the process whose place it takes"},
        "diagram": {**_TEXT, "maxLength": LARGEST, "description": "a BPMN 2.0 file with one process"},
    }
    if required:
        pool = "the id of one process, where the file holds several; make a draft of each"
        properties["pool"] = {**_TEXT, "description": pool}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _diagram(tag: str, known: dict[str, Any]) -> Any:
    about = _("The BPMN 2.0 file with which instances begin now")
    content = {"application/xml": {"schema": _TEXT}}
    answer = {"200": {"description": str(about), "content": content}}
    return parts.operation(
        "show_process_diagram", about, tag, answer, problems="400 401 404", parameters=[known]
    )


def _write(
    name: str, about: Any, tag: str, parameters: list[Any], body: Any = None, status: str = "200"
) -> Any:
    sent = {} if body is None else {"requestBody": {**parts.json_body(body), "required": True}}
    keys = [] if name.startswith("change") else parts.refs("idempotency_key")
    return parts.operation(
        name,
        about,
        tag,
        {status: parts.json_answer(parts.OBJECT, about)},
        problems=_WRITES,
        parameters=[*parameters, *keys],
        **sent,
    )
