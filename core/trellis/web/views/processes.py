"""Pages of processes: the catalogue, one process, one instance with its task, and what people do with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Process
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process import seeing, versions
from trellis.process.engine import Engine
from trellis.process.forms import form_of
from trellis.process.runs import process_of
from trellis.process.tasks import Tasks
from trellis.records.entity import Field
from trellis.records.types import Reference
from trellis.web.display import control
from trellis.web.overlay import dialog_form, overlay
from trellis.web.process_catalogue import catalogue_context
from trellis.web.process_page import instance_context, process_context
from trellis.web.process_tasks import answers_of, form_context, read_answers, words_of
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go, messages, whole_number

_ = translator("trellis")

blueprint = Blueprint("processes", __name__)

_CRUMBS = ((_("Processes"), "processes"),)


@blueprint.get("/<workspace>/processes")
def catalogue(workspace: str) -> str:
    new_url = f"{base()}/processes/new" if g.actor.administrator else ""
    return _page("processes/list.html", _("Processes"), processes=catalogue_context(base()), new_url=new_url)


@blueprint.get("/<workspace>/processes/<name>")
def show(workspace: str, name: str) -> str:
    process = _process(name)
    state = request.args.get("state", "open")
    before = whole_number(request.args.get("before", ""))
    context = process_context(process, state, before, base())
    return _page("processes/process.html", process.title, inside=True, process=context)


@blueprint.get("/<workspace>/processes/<name>/start")
def ask_to_start(workspace: str, name: str) -> str:
    return _start_dialog(_process(name), whole_number(request.args.get("record", "")), {}, {})


@blueprint.post("/<workspace>/processes/<name>/start")
def start(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    process = _process(name)
    record = whole_number(request.form.get("record", ""))
    form = form_of(versions.present(g.edition, process).start)
    given = read_answers(form.own)
    try:
        number = seeing.start(g.records, name, record, given)
    except RecordInvalid as error:
        return _start_dialog(process, record, request.form, messages(error)), 422
    toast(_("“%(process)s” has started", process=process.title))
    return go(f"{base()}/processes/runs/{number}")


@blueprint.get("/<workspace>/processes/runs/<int:number>")
def instance(workspace: str, number: int) -> str:
    return _instance_page(seeing.Instances(g.records).get(number), None, {}, {})


@blueprint.get("/<workspace>/processes/runs/<int:number>/cancel")
def ask_to_cancel(workspace: str, number: int) -> str:
    seeing.Instances(g.records).require_manager(number)
    dialog = {
        "title": str(_("Cancel run %(number)s?", number=number)),
        "text": str(
            _("What it has done stays as it is. Its tasks go away, and its timers do not fire any more")
        ),
        "action": f"{base()}/processes/runs/{number}/cancel",
        "verb": str(_("Cancel the run")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/processes/runs/<int:number>/cancel")
def cancel(workspace: str, number: int) -> BaseResponse:
    seeing.Instances(g.records).require_manager(number)
    Engine(g.records).cancel(number)
    toast(_("Cancelled"))
    return go(f"{base()}/processes/runs/{number}")


@blueprint.post("/<workspace>/processes/runs/<int:number>/retry")
def retry(workspace: str, number: int) -> BaseResponse:
    seeing.Instances(g.records).require_manager(number)
    Engine(g.records).retry(number)
    return go(f"{base()}/processes/runs/{number}")


@blueprint.get("/<workspace>/processes/tasks/<int:step>")
def task(workspace: str, step: int) -> str:
    found = Tasks(g.records).get(step)
    return _instance_page(None, found, {}, {})


@blueprint.get("/<workspace>/processes/tasks/<int:step>/form")
def task_form(workspace: str, step: int) -> str:
    """The form of a task in a dialog, to be completed where it is listed."""
    return _task_dialog(Tasks(g.records).get(step), {}, {})


@blueprint.post("/<workspace>/processes/tasks/<int:step>/complete")
def complete(workspace: str, step: int) -> BaseResponse | tuple[str, int]:
    tasks = Tasks(g.records)
    found = tasks.get(step)
    try:
        tasks.complete(step, answers_of(found))
    except RecordInvalid as error:
        errors, given = messages(error), {name: value for name, value in request.form.items()}
        if "in_dialog" in request.form:
            return _task_dialog(found, given, errors), 422
        return _instance_page(None, found, given, errors), 422
    toast(_("“%(task)s” is done", task=words_of(found.process)(found.title)))
    if "in_dialog" in request.form:
        return go(_page_of_dialog())
    return go(f"{base()}/processes/runs/{found.instance_id}")


@blueprint.post("/<workspace>/processes/tasks/<int:step>/take")
def take(workspace: str, step: int) -> BaseResponse:
    Tasks(g.records).take(step)
    return go(f"{base()}/processes/tasks/{step}")


@blueprint.post("/<workspace>/processes/tasks/<int:step>/put-back")
def put_back(workspace: str, step: int) -> BaseResponse:
    Tasks(g.records).put_back(step)
    toast(_("The task is back in its queue"))
    return go(f"{base()}/tasks")


@blueprint.get("/<workspace>/processes/tasks/<int:step>/reassign")
def ask_to_reassign(workspace: str, step: int) -> str:
    return _reassign_dialog(Tasks(g.records).get(step), {})


@blueprint.post("/<workspace>/processes/tasks/<int:step>/reassign")
def reassign(workspace: str, step: int) -> BaseResponse | tuple[str, int]:
    tasks = Tasks(g.records)
    found = tasks.get(step)
    try:
        tasks.reassign(step, whole_number(request.form.get("person", "")) or 0)
    except RecordInvalid as error:
        return _reassign_dialog(found, messages(error)), 422
    toast(_("Handed over"))
    return go(f"{base()}/processes/runs/{found.instance_id}")


def _page_of_dialog() -> str:
    """The page of this workspace that a dialog stands on."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    return f"{here.path}?{here.query}" if here.path.startswith(f"{base()}/") else f"{base()}/tasks"


def _process(name: str) -> Process:
    process = process_of(g.edition, name)
    if process.entity is not None and not g.actor.may(process.entity, "read"):
        abort(404)
    return process


def _page(template: str, title: Any, *, inside: bool = False, **context: Any) -> str:
    return page(
        template,
        title=title,
        crumbs=_CRUMBS if inside else (),
        direction="management",
        level="tactics",
        icon="workflow",
        **context,
    )


def _instance_page(found: Any, task: Any, given: dict[str, Any], errors: dict[str, list[str]]) -> str:
    if found is None:
        found = seeing.Instances(g.records).get(task.instance_id)
    context = instance_context(found, task, given, errors, base())
    title = _("Run %(number)s", number=found.id)
    return page(
        "processes/instance.html",
        title=title,
        crumbs=(*_CRUMBS, (context["title"], f"processes/{found.process}")),
        direction="management",
        level="tactics",
        run=context,
    )


def _start_dialog(process: Process, record: int | None, given: Any, errors: dict[str, list[str]]) -> str:
    form = form_of(versions.present(g.edition, process).start, words_of(process.name))
    general = [text for name, found in errors.items() if name not in form.own for text in found]
    dialog = {
        "title": str(_("Start “%(process)s”?", process=process.title)),
        "text": " ".join(map(str, general)) or (str(process.description) if process.description else ""),
        "action": f"{base()}/processes/{process.name}/start",
        "verb": str(_("Start")),
        "hidden": [("record", record)] if record else [],
        "fields": [
            control(g.edition, base(), one, given.get(name), errors=errors.get(name))
            for name, one in form.own.items()
        ],
    }
    return dialog_form(dialog)


def _task_dialog(found: Any, given: dict[str, Any], errors: dict[str, list[str]]) -> str:
    context = form_context(found, given, errors)
    context["action"] = f"{base()}/processes/tasks/{found.id}/complete"
    return overlay("processes/task_dialog.html", context["title"], task=context)


def _reassign_dialog(found: Any, errors: dict[str, list[str]]) -> str:
    person = Field(name="person", type=Reference("user"), label=_("To whom"), required=True)
    dialog = {
        "title": str(_("Hand over “%(task)s”?", task=words_of(found.process)(found.title))),
        "text": "",
        "action": f"{base()}/processes/tasks/{found.id}/reassign",
        "verb": str(_("Hand over")),
        "fields": [control(g.edition, base(), person, None, errors=errors.get("person"))],
    }
    return dialog_form(dialog)
