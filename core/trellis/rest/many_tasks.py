"""Acts on several of the caller's tasks at once: each by itself; those that were left are named, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, g

from trellis.crm.service.many_tasks import STEP, Left, ManyTasks, Outcome
from trellis.rest.answers import answer
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.tasks import only, person_in


@blueprint.post("/tasks:complete")
def complete_tasks(workspace: str) -> Response:
    return _act(lambda many, _given: many.complete())


@blueprint.post("/tasks:take")
def take_tasks(workspace: str) -> Response:
    return _act(lambda many, _given: many.take())


@blueprint.post("/tasks:put-back")
def put_back_tasks(workspace: str) -> Response:
    return _act(lambda many, _given: many.put_back())


@blueprint.post("/tasks:reassign")
def reassign_tasks(workspace: str) -> Response:
    return _act(lambda many, given: many.reassign(person_in(given)), "person")


@blueprint.post("/tasks:postpone")
def postpone_tasks(workspace: str) -> Response:
    return _act(lambda many, given: many.postpone(given.get("day")), "day")


def _act(act: Callable[[ManyTasks, Mapping[str, Any]], Outcome], *needed: str) -> Response:
    no_arguments()
    given = only(json_object(), "tasks", *needed)
    ids = given.get("tasks")
    outcome = act(ManyTasks(g.records, list(map(str, ids)) if isinstance(ids, list) else []), given)
    return answer(
        {"done": [_id(one) for one in outcome.done], "refused": [_left(one) for one in outcome.left]}
    )


def _id(task: str) -> str | int:
    return task if task.startswith(STEP) else int(task)


def _left(left: Left) -> dict[str, Any]:
    errors = {name: [str(one) for one in found] for name, found in left.errors.items()}
    return {"id": _id(left.id), "title": str(left.title), "errors": errors}
