"""Pages where processes are drawn: a new one, the editor with its panel, checks, publishing, files in and out."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Process
from trellis.errors import Conflict, RecordInvalid, StaleVersion, TrellisError
from trellis.i18n import translator
from trellis.process import versions
from trellis.process.diagram import LARGEST, DiagramInvalid
from trellis.process.moving import Moving
from trellis.process.own import LONGEST_TITLE, Draft, OwnProcess, OwnProcesses, problems_of
from trellis.process.picture import blank
from trellis.process.runs import process_of
from trellis.web.display import origin
from trellis.web.overlay import dialog_form, overlay
from trellis.web.panel import answer
from trellis.web.process_editor import (
    editor_context,
    names_of,
    panel_context,
    problem_rows,
    problems_text,
    readable,
)
from trellis.web.shell import page, shell, toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators

_ = translator("trellis")

blueprint = Blueprint("process_editing", __name__)
blueprint.before_request(only_administrators)

BPMN = "application/xml; charset=utf-8"
_CRUMBS = ((_("Processes"), "processes"),)


def _drafts() -> OwnProcesses:
    return OwnProcesses(g.session, g.edition, g.actor)


@blueprint.get("/<workspace>/processes/new")
def new(workspace: str) -> str:
    return _new({}, {})


@blueprint.post("/<workspace>/processes/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    form = request.form
    draft = Draft(title=form.get("title", "").strip(), entity=form.get("entity") or None)
    try:
        made = _drafts().create_each(draft, _sent() or blank())
    except DiagramInvalid as error:
        return _new(form, {"file": _told(error)}), 422
    except RecordInvalid as error:
        return _new(form, messages(error)), 422
    if len(made) > 1:
        told = ", ".join(f"“{one.draft['title']}”" for one in made)
        toast(_("The file holds several processes; each is a draft now: %(titles)s", titles=told))
    return go(f"{base()}/processes/{made[0].name}/edit")


@blueprint.post("/<workspace>/processes/<name>/copy")
def copy(workspace: str, name: str) -> BaseResponse:
    """A draft that begins as a process of the edition."""
    made = _drafts().copy(name)
    toast(
        _(
            "“%(title)s” is a copy. Once it is published, it takes the place of the process",
            title=made.draft["title"],
        )
    )
    return go(f"{base()}/processes/{made.name}/edit")


@blueprint.get("/<workspace>/processes/<name>/edit")
def edit(workspace: str, name: str) -> str:
    row = _drafts().get(name)
    return page(
        "processes/editor.html",
        title=row.draft["title"],
        crumbs=_CRUMBS,
        direction="management",
        level="tactics",
        editor=editor_context(row, base()),
    )


@blueprint.post("/<workspace>/processes/<name>/edit")
def save(workspace: str, name: str) -> Response:
    """Keeps the draft; what is wrong with it as JSON."""
    version = request.form.get("version", "")
    try:
        row = _drafts().save(name, _said(), _diagram(), int(version) if version.isdecimal() else None)
    except StaleVersion as error:
        text = _(
            "Somebody else has changed this process since you opened it. Load the page anew; download yours first"
        )
        return _json({"problem": str(text), "version": error.current}, 409)
    except (RecordInvalid, DiagramInvalid) as error:
        return _json({"problem": " ".join(_told(error))}, 422)
    return _json({"version": row.version, "text": str(_("Saved"))})


@blueprint.post("/<workspace>/processes/<name>/edit/panel")
def panel(workspace: str, name: str) -> Response:
    """The panel of what is chosen, after what was changed in it; and what that changes in the diagram and the draft."""
    _drafts().get(name)
    diagram = readable(_diagram())
    names = names_of(_said(), diagram)
    found = answer(names, request.form.get("chosen", ""), request.form if "given" in request.form else None)
    html = render_template("processes/panel.html", panel=panel_context(found, diagram), shell=shell())
    return _json({"html": html, "changes": list(found.changes), "said": found.draft.to_json()})


@blueprint.post("/<workspace>/processes/<name>/edit/check")
def check(workspace: str, name: str) -> Response:
    """What stands against publishing, in a list and for the shapes of the diagram."""
    _drafts().get(name)
    text = _diagram()
    return _problems(problems_of(g.edition, name, _said(), text), text)


@blueprint.post("/<workspace>/processes/<name>/publish")
def publish(workspace: str, name: str) -> Response:
    """Publishes the draft as it is kept; while problems stand, they are shown instead."""
    drafts = _drafts()
    try:
        row = drafts.publish(name)
    except DiagramInvalid as error:
        return _problems(error.problems, drafts.get(name).diagram, 422)
    toast(_("“%(title)s” is published: from now on runs begin with it", title=row.draft["title"]))
    return _json({"url": f"{base()}/processes/{name}"})


@blueprint.get("/<workspace>/processes/<name>/draft.bpmn")
def download_draft(workspace: str, name: str) -> Response:
    return _file(name, _drafts().get(name).diagram)


@blueprint.get("/<workspace>/processes/<name>/diagram.bpmn")
def download(workspace: str, name: str) -> Response:
    """The diagram with which runs begin now."""
    return _file(name, versions.content(process_of(g.edition, name)))


@blueprint.get("/<workspace>/processes/<name>/replace")
def ask_to_replace(workspace: str, name: str) -> str:
    return _replacing(_drafts().get(name), [])


@blueprint.post("/<workspace>/processes/<name>/replace")
def replace(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    """The diagram of the draft from a file."""
    drafts = _drafts()
    row = drafts.get(name)
    sent = _sent()
    try:
        if sent is None:
            return _replacing(row, [str(_("Choose a file"))]), 422
        drafts.save(name, Draft.from_json(row.draft), sent)
    except DiagramInvalid as error:
        return _replacing(row, _told(error)), 422
    toast(_("The diagram is that of the file. It is not published yet"))
    return go(f"{base()}/processes/{name}/edit")


@blueprint.get("/<workspace>/processes/<name>/discard")
def ask_to_discard(workspace: str, name: str) -> str:
    _drafts().get(name)
    text = _("What was changed since is lost; what is published stays as it is.")
    return _ask(name, "discard", _("Go back to what is published?"), text, _("Go back"))


@blueprint.post("/<workspace>/processes/<name>/discard")
def discard(workspace: str, name: str) -> BaseResponse:
    _drafts().discard(name)
    toast(_("The draft is again what is published"))
    return go(f"{base()}/processes/{name}/edit")


@blueprint.get("/<workspace>/processes/<name>/remove")
def ask_to_remove(workspace: str, name: str) -> str:
    row = _drafts().get(name)
    text = _("Nothing starts it any more. Records that its runs have changed stay as they are.")
    return _ask(name, "remove", _("Remove “%(title)s”?", title=row.draft["title"]), text, _("Remove"))


@blueprint.post("/<workspace>/processes/<name>/remove")
def remove(workspace: str, name: str) -> BaseResponse:
    try:
        _drafts().remove(name)
    except Conflict as error:
        toast(str(error))
        return go(f"{base()}/processes/{name}/edit")
    toast(_("Removed"))
    return go(f"{base()}/processes")


@blueprint.post("/<workspace>/processes/<name>/versions/<int:number>/draft")
def take_back(workspace: str, name: str, number: int) -> BaseResponse:
    """The draft gets the diagram of an older version."""
    _drafts().take_back(name, number)
    toast(_("The draft has the diagram of version %(number)s. It is not published yet", number=number))
    return go(f"{base()}/processes/{name}/edit")


@blueprint.get("/<workspace>/processes/<name>/move")
def ask_to_move(workspace: str, name: str) -> str:
    """Which runs can go on with the newest version, and why others cannot."""
    process = process_of(g.edition, name)
    standing = Moving(g.records).standing(process)
    rows = [
        {
            "number": one.instance,
            "version": one.number,
            "url": f"{base()}/processes/runs/{one.instance}",
            "text": " ".join(map(str, one.obstacles)),
        }
        for one in standing
        if one.obstacles
    ]
    moving = {"action": f"{base()}/processes/{name}/move", "can": len(standing) - len(rows), "cannot": rows}
    return overlay("processes/move.html", process.title, moving=moving)


@blueprint.post("/<workspace>/processes/<name>/move")
def move(workspace: str, name: str) -> BaseResponse:
    number = Moving(g.records).move_all(process_of(g.edition, name))
    toast(_("Runs that go on with the newest version: %(number)s", number=number))
    return go(f"{base()}/processes/{name}")


@blueprint.post("/<workspace>/processes/runs/<int:number>/move")
def move_one(workspace: str, number: int) -> BaseResponse:
    Moving(g.records).move(number)
    toast(_("The run goes on with the newest version"))
    return go(f"{base()}/processes/runs/{number}")


def _said() -> Draft:
    """What the page says of the process. Raises RecordInvalid."""
    try:
        given = orjson.loads(request.form.get("said", ""))
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        abort(400)
    return Draft.from_json(given)


def _diagram() -> bytes:
    return request.form.get("diagram", "").encode()


def _sent() -> bytes | None:
    """The file that was sent, no more of it than a diagram may have; None without one."""
    file = request.files.get("file")
    return file.stream.read(LARGEST + 1) if file is not None and file.filename else None


def _told(error: TrellisError) -> list[str]:
    if isinstance(error, DiagramInvalid):
        return [str(one) for one in error.problems]
    return (
        [text for found in messages(error).values() for text in found]
        if isinstance(error, RecordInvalid)
        else [str(error)]
    )


def _problems(found: Any, text: bytes, status: int = 200) -> Response:
    diagram = readable(text)
    rows = problem_rows(found, diagram)
    shown = {"rows": rows, "text": problems_text(len(rows))}
    html = render_template("processes/problems.html", problems=shown, shell=shell())
    return _json(
        {
            "html": html,
            "elements": sorted({row["element"] for row in rows if row["element"]}),
            "text": shown["text"],
        },
        status,
    )


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")


def _file(name: str, content: bytes) -> Response:
    sent = Response(content, content_type=BPMN)
    sent.headers["Content-Disposition"] = f'attachment; filename="{name}.bpmn"'
    return sent


def _new(given: Any, errors: dict[str, list[str]]) -> str:
    entities = [view for view in g.edition.entities.values() if view.info.parent is None]
    options = sorted(((view.name, str(view.info.title)) for view in entities), key=lambda one: one[1].lower())
    common = {"required": False, "errors": [], "options": []}
    fields = [
        {
            **common,
            "id": "title",
            "name": "title",
            "label": str(_("Title")),
            "kind": "text",
            "value": given.get("title", ""),
            "required": True,
            "maxlength": LONGEST_TITLE,
            "errors": errors.get("title", []),
        },
        {
            **common,
            "id": "entity",
            "name": "entity",
            "label": str(_("About")),
            "kind": "choice",
            "value": given.get("entity", ""),
            "help": str(_("The kind of record that each run is about; without one, it is about none")),
            "options": [
                {"value": value, "title": title, "selected": value == given.get("entity")}
                for value, title in options
            ],
            "errors": errors.get("entity", []),
        },
    ]
    context = {
        "action": request.path,
        "fields": fields,
        "problems": errors.get("file", []),
        "largest": LARGEST,
        "largest_text": str(_("A diagram is at most 1 MB large")),
        "cancel_url": f"{base()}/processes",
        "known": [
            {
                "title": str(one.title),
                "origin": origin(g.edition, one.owner),
                "url": f"{base()}/processes/{name}/copy",
            }
            for name, one in g.edition.all(Process).items()
        ],
    }
    return page(
        "processes/new.html",
        title=_("New process"),
        crumbs=_CRUMBS,
        direction="management",
        level="tactics",
        new=context,
    )


def _replacing(row: OwnProcess, problems: list[str]) -> str:
    context = {
        "action": f"{base()}/processes/{row.name}/replace",
        "title": row.draft["title"],
        "problems": problems,
        "largest": LARGEST,
        "largest_text": str(_("A diagram is at most 1 MB large")),
        "cancel_url": f"{base()}/processes/{row.name}/edit",
    }
    return page(
        "processes/replace.html",
        title=_("Diagram from a file"),
        crumbs=(*_CRUMBS, (row.draft["title"], f"processes/{row.name}/edit")),
        direction="management",
        level="tactics",
        replacing=context,
    )


def _ask(name: str, act: str, title: Any, text: Any, verb: Any) -> str:
    dialog = {
        "title": str(title),
        "text": str(text),
        "action": f"{base()}/processes/{name}/{act}",
        "verb": str(verb),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)
