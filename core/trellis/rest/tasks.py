"""The caller's tasks: what waits, of processes and of activities, and completing it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, g, request

from trellis.contributions import Process
from trellis.crm.service import tasks
from trellis.errors import CursorInvalid, RecordInvalid
from trellis.i18n import translator
from trellis.process import versions
from trellis.process.forms import form_of
from trellis.process.tasks import Tasks
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.query import ListQuery
from trellis.rest.answers import answer, etag, writer
from trellis.rest.arguments import Arguments, json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE

_ = translator("trellis")

STEPS = "p:"
"""Cursors within the tasks of processes begin so; the others are those of activities."""
_FAR = datetime(9999, 1, 1, tzinfo=UTC)


@blueprint.get("/tasks")
def list_tasks(workspace: str) -> Response:
    """Tasks of processes first, then activities; each by due date."""
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    cursor = arguments.text("cursor")
    arguments.end()
    g.actor.require("activity", "read")
    items: list[dict[str, Any]] = []
    if cursor is None or cursor.startswith(STEPS):
        found = Tasks(g.records).mine(limit + 1, _place(cursor))
        items = [written(task) for task in found[:limit]]
        if len(found) > limit:
            last = found[limit - 1]
            return answer({"items": items, "next": f"{STEPS}{(last.due_at or _FAR).isoformat()},{last.id}"})
        cursor = None
    if len(items) == limit and _more_activities():
        return answer({"items": items, "next": f"{STEPS}{_FAR.isoformat()},{10**18}"})
    activities, following = _activities(limit - len(items), cursor)
    return answer({"items": [*items, *activities], "next": following})


def _place(cursor: str | None) -> tuple[datetime, int] | None:
    """Where a page of steps begins. Raises CursorInvalid."""
    if cursor is None:
        return None
    try:
        moment, _mark, number = cursor.removeprefix(STEPS).partition(",")
        due, step = datetime.fromisoformat(moment), int(number)
        if due.tzinfo is None or not 0 <= step <= 10**18:
            raise CursorInvalid()
        return due.astimezone(UTC), step
    except (ValueError, OverflowError):
        raise CursorInvalid() from None


def _more_activities() -> bool:
    view = g.edition.entity("activity")
    return bool(
        g.session.scalar(ListQuery(view, g.edition, g.actor, rule=tasks.OPEN).count_statement(limit=1))
    )


def _activities(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    if limit <= 0:
        return [], None
    view = g.edition.entity("activity")
    query = ListQuery(view, g.edition, g.actor, rule=tasks.OPEN, sort=["due_at"], limit=limit, cursor=cursor)
    page = query.page(g.session)
    write = writer(g.edition, view)
    return [write(record) for record in page.items], page.next


def written(task: Any) -> dict[str, Any]:
    """A task of a process as REST shows it, with the form that it asks for."""
    process = g.edition.all(Process)[task.process]
    element = versions.of_version(g.session, g.edition, task.version_id).elements[task.element]
    form = form_of(element, lambda text: versions.words(g.edition, process, text))
    view = g.edition.entities.get(task.entity) if task.entity else None
    fields = [
        (view.fields[name], name in form.required) for name in form.fields if view and name in view.fields
    ]
    return {
        "id": f"p{task.id}",
        "title": str(versions.words(g.edition, process, task.title)),
        "process": task.process,
        "element": task.element,
        "instance": task.instance_id,
        "entity": task.entity,
        "record": task.record_id,
        "since": task.entered_at,
        "due_at": task.due_at,
        "person": task.person_id,
        "form": [
            *(asked(one, needed or one.required) for one, needed in fields),
            *(asked(one, one.required) for one in form.own.values()),
        ],
    }


def asked(field: Field, required: bool) -> dict[str, Any]:
    """A field of a form."""
    described = {
        "name": field.name,
        "label": str(field.label),
        "type": field.type.name,
        "required": required,
    }
    if isinstance(field.type, types.Choice):
        described["choices"] = [{"value": one.value, "label": str(one.label)} for one in field.type.options]
    return described


@blueprint.post("/tasks/<id:record_id>:complete")
def complete_task(workspace: str, record_id: int) -> Response:
    no_arguments()
    record = tasks.complete(g.records, record_id, _given())
    return answer(writer(g.edition, g.edition.entity("activity"))(record), headers=etag(record))


@blueprint.post("/tasks/p<id:step>:complete")
def complete_step(workspace: str, step: int) -> Response:
    """Completes a task of a process with the answers to its form."""
    no_arguments()
    instance = Tasks(g.records).complete(step, _given())
    return answer({"id": f"p{step}", "instance": instance, "done": True})


@blueprint.post("/tasks/p<id:step>:take")
def take_step(workspace: str, step: int) -> Response:
    no_arguments()
    Tasks(g.records).take(step)
    return answer(written(Tasks(g.records).get(step)))


@blueprint.post("/tasks/p<id:step>:reassign")
def reassign_step(workspace: str, step: int) -> Response:
    """Hands a task to somebody."""
    no_arguments()
    person = person_in(only(json_object(), "person"))
    Tasks(g.records).reassign(step, person)
    return answer({"id": f"p{step}", "person": person})


def person_in(given: Mapping[str, Any]) -> int:
    """Whom something is handed to. Raises RecordInvalid."""
    person = given.get("person")
    if type(person) is not int or not 0 < person <= LARGEST_ID:
        raise RecordInvalid({"person": [_("Give the id of a user")]})
    return person


def _given() -> dict[str, Any]:
    return json_object() if request.get_data() else {}


def only(given: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """What was given, if nothing else was. Raises RecordInvalid."""
    unknown = given.keys() - set(names)
    if unknown:
        raise RecordInvalid(
            {
                name: [_("There is no such value; known: %(known)s", known=", ".join(names))]
                for name in unknown
            }
        )
    return given
