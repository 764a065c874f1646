"""The part of the OpenAPI document on tasks and processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID

_ = translator("trellis")

_TASK = {"in": "path", "name": "step", "required": True, "schema": {"type": "integer", "minimum": 1}}
_DAY = {"type": "string", "format": "date"}
_PERSON = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_PLANNED: dict[str, Any] = {
    "type": "object",
    "properties": {"starts": _DAY, "ends": _DAY, "substitute": _PERSON},
    "required": ["starts", "ends", "substitute"],
    "additionalProperties": False,
}
_ABSENCE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "starts": {"type": ["string", "null"], "format": "date"},
        "ends": {"type": ["string", "null"], "format": "date"},
        "substitute": {"type": ["integer", "null"]},
        "stands_in_for": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["starts", "ends", "substitute", "stands_in_for"],
}
_WRITE = "400 401 403 404 409 412 413 415 422"


def process_paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """Tasks of processes and activities, and the processes themselves."""
    tag = str(_("My tasks"))
    listed = parts.read(
        "list_tasks",
        _("What waits for the caller: tasks of processes, then activities, the most urgent first"),
        tag,
        parts.PAGE,
        problems="400 401 403",
        parameters=parts.refs("limit", "cursor"),
    )
    yield "/tasks", {"get": listed}
    completed = _("Tick a task off, with what its work brought")
    yield "/tasks/{id}:complete", {"post": _write("complete_task", completed, tag, parts.refs("id"))}
    for act, about in (
        ("complete", _("Complete a task of a process, with the answers to its form")),
        ("take", _("Take a task of a process from its queue")),
        ("reassign", _("Hand a task of a process to somebody: person is the id of a user")),
    ):
        yield f"/tasks/p{{step}}:{act}", {"post": _write(f"{act}_step", about, tag, [_TASK])}
    for act, about in (
        ("complete", _("Complete several tasks that ask for nothing: tasks is a list of their ids (p31, 7)")),
        ("take", _("Take several tasks of processes from their queues")),
        ("put-back", _("Put several tasks of processes back into their queues")),
        ("reassign", _("Hand several tasks to somebody: person is the id of a user")),
        ("postpone", _("Move several activities to another day: day is a date")),
    ):
        yield f"/tasks:{act}", {"post": _write(f"{act.replace('-', '_')}_tasks", about, tag, [])}
    yield "/absence", _absence(tag)
    yield from _processes()


def _absence(tag: str) -> dict[str, Any]:
    told = parts.json_answer(_ABSENCE, _("The absence of the caller, and whom they stand in for today"))
    return {
        "get": parts.operation(
            "show_absence",
            _("When the caller is away, and who does their tasks meanwhile"),
            tag,
            {"200": told},
            problems="400 401",
        ),
        "put": parts.operation(
            "plan_absence",
            _("Plan an absence: a substitute does the tasks of the caller from one day to another"),
            tag,
            {"200": told},
            problems="400 401 403 413 415 422",
            requestBody={**parts.json_body(_PLANNED), "required": True},
        ),
        "delete": parts.operation(
            "end_absence",
            _("The tasks of the caller are theirs alone again"),
            tag,
            {"204": {"description": str(_("The caller is there"))}},
            problems="400 401 403",
        ),
    }


def _processes() -> Iterator[tuple[str, dict[str, Any]]]:
    tag = str(_("Processes"))
    yield (
        "/processes",
        {"get": parts.read("list_processes", _("The processes of this edition"), tag, parts.OBJECT)},
    )
    name = {
        "in": "path",
        "name": "process",
        "required": True,
        "schema": {"type": "string", "pattern": "^[^/:]+$"},
    }
    about = _("Start a process: record is the id of what it is about, values answer its form")
    started = _write("start_process", about, tag, [name], status="201")
    yield "/processes/{process}:start", {"post": started}
    one = parts.read(
        "show_instance",
        _("Where an instance stands, with its open tasks and what decision tables decided in it"),
        tag,
        parts.OBJECT,
        problems="400 401 403 404",
        parameters=parts.refs("id"),
    )
    yield "/processes/instances/{id}", {"get": one}


def _write(name: str, about: Any, tag: str, parameters: list[Any], status: str = "200") -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": parts.OBJECT}}, "required": False}
    return parts.operation(
        name,
        about,
        tag,
        {status: parts.json_answer(parts.OBJECT, about)},
        problems=_WRITE,
        parameters=[*parameters, *parts.refs("idempotency_key")],
        requestBody=body,
    )
