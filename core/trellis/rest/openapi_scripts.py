"""The part of the OpenAPI document on conversation scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Script
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.rest import openapi_parts as parts
from trellis.rest.calls import LARGEST_ID

_ = translator("trellis")

_TEXT = {"type": "string"}
_START = {
    "type": "object",
    "properties": {"entity": _TEXT, "record": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}},
    "required": ["entity", "record"],
    "additionalProperties": False,
}
_ANSWER = {
    "type": "object",
    "properties": {
        "step": {**_TEXT, "description": "the step at which the conversation is"},
        "answer": {**_TEXT, "description": "the key of an answer of it"},
        "value": {"description": "what is typed, where the answer asks for that"},
    },
    "required": ["step", "answer"],
    "additionalProperties": False,
}
_OBJECT = {
    "type": "object",
    "properties": {"step": _TEXT, "objection": _TEXT},
    "required": ["step", "objection"],
    "additionalProperties": False,
}


def script_paths(edition: Edition) -> Iterator[tuple[str, dict[str, Any]]]:
    """What there is to run, conversations, figures, and what is done with scripts of one's own."""
    tag, name = str(_("Conversation scripts")), [parts.named("script", edition.all(Script))]
    listed = parts.read("list_scripts", _("The scripts that conversations can be led by"), tag, parts.ITEMS)
    yield "/scripts", {"get": listed}
    shown = _read("show_script", _("The steps of a script, its answers, objections and outcomes"), tag, name)
    yield "/scripts/{script}", {"get": shown}
    version = {
        "name": "version",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 10**9},
    }
    about = _("How conversations by a script went: by step, answer, objection, outcome and version")
    figures = _read("script_figures", about, tag, [*name, version, *parts.refs("period")])
    yield "/scripts/{script}/figures", {"get": figures}
    started = _("Begin a conversation beside a record; one of the caller that goes on there is broken off")
    yield "/scripts/{script}:start", {"post": _write("start_script", started, tag, name, _START, "201")}
    copied = _("Make a script of one's own from this one; it is offered instead of it once published")
    yield "/scripts/{script}:copy", {"post": _write("copy_script", copied, tag, name, None, "201")}
    yield from _runs(tag)
    yield from _own(tag)


def _runs(tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    one, path = parts.refs("id"), "/scripts/runs/{id}"
    yield path, {"get": _read("show_run", _("Where a conversation stands, and its path"), tag, one)}
    acts: tuple[tuple[str, str, Any, Any], ...] = (
        ("answer", "answer_run", _("Give an answer: its field is filled, the conversation goes on"), _ANSWER),
        ("object", "object_run", _("Note an objection; the conversation stays at its step"), _OBJECT),
        ("back", "take_back", _("Take the last answer back, with what it filled"), None),
        ("stop", "stop_run", _("Break a conversation off"), None),
        ("resume", "resume_run", _("Go on with one that was broken off"), None),
    )
    for act, name, about, body in acts:
        yield f"{path}:{act}", {"post": _write(name, about, tag, one, body)}


def _own(tag: str) -> Iterator[tuple[str, dict[str, Any]]]:
    one = parts.refs("id")
    faults = _("What keeps a script of one's own from being published, beside its steps")
    yield "/script/{id}/faults", {"get": _read("script_faults", faults, tag, one)}
    for act, about in (
        ("publish", _("Put the draft of a script to use, as a new version")),
        ("withdraw", _("Take a script out of use; conversations by it go on")),
    ):
        yield f"/script/{{id}}:{act}", {"post": _write(f"{act}_script", about, tag, one, None)}


def _read(name: str, about: Any, tag: str, parameters: list[Any]) -> dict[str, Any]:
    return parts.read(name, about, tag, parts.OBJECT, problems="400 401 403 404", parameters=parameters)


def _write(
    name: str, about: Any, tag: str, parameters: list[Any], body: Any, status: str = "200"
) -> dict[str, Any]:
    return parts.operation(
        name,
        about,
        tag,
        {status: parts.json_answer(parts.OBJECT, about)},
        problems="400 401 403 404 409 412 413 415 422",
        parameters=[*parameters, *parts.refs("idempotency_key")],
        **({"requestBody": parts.json_body(body)} if body else {}),
    )
