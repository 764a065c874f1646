"""Processes over REST: what there is, and starting one."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from trellis.contributions import Process
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process import seeing, versions
from trellis.process.forms import form_of
from trellis.process.runs import process_of
from trellis.process.tasks import Tasks
from trellis.rest.answers import answer
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.tasks import asked, only, written

_ = translator("trellis")


@blueprint.get("/processes")
def list_processes(workspace: str) -> Response:
    no_arguments()
    return answer({"items": [_described(one) for one in g.edition.all(Process).values() if is_there(one)]})


@blueprint.post("/processes/<name:process>:start")
def start_process(workspace: str, process: str) -> Response:
    """Starts a process about a record, with the answers to the form of its start event."""
    no_arguments()
    given = only(json_object() if request.get_data() else {}, "record", "values")
    record, values = given.get("record"), given.get("values", {})
    if record is not None and (
        not isinstance(record, int) or isinstance(record, bool) or not 0 < record < 10**18
    ):
        raise RecordInvalid({"record": [_("Give the id of a record")]})
    if not isinstance(values, dict):
        raise RecordInvalid({"values": [_("Give an object of names and values")]})
    number = seeing.start(g.records, process_of(g.edition, process).name, record, values)
    return answer(_instance(number), 201)


@blueprint.get("/processes/instances/<id:number>")
def show_instance(workspace: str, number: int) -> Response:
    no_arguments()
    return answer(_instance(number))


def is_there(process: Process) -> bool:
    """Whether the caller may know of a process."""
    return process.entity is None or g.actor.may(process.entity, "read")


def _described(process: Process) -> dict[str, Any]:
    form = form_of(
        versions.present(g.edition, process).start, lambda text: versions.words(g.edition, process, text)
    )
    return {
        "name": process.name,
        "title": str(process.title),
        "description": str(process.description) if process.description else None,
        "plugin": process.owner,
        "entity": process.entity,
        "form": [asked(one, one.required) for one in form.own.values()],
    }


def _instance(number: int) -> dict[str, Any]:
    found = seeing.Instances(g.records).get(number)
    return {
        "id": found.id,
        "process": found.process,
        "entity": found.entity,
        "record": found.record_id,
        "state": found.state,
        "active": found.active,
        "problem": found.problem or None,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
        "tasks": [written(task) for task in Tasks(g.records).of_instance(number)],
        "decisions": [vars(one) for one in seeing.decisions(g.records, found)],
    }
