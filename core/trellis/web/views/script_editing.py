"""The editor of scripts of one's own: a page of its own in place of the form of their records."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Script
from trellis.errors import RecordInvalid, StaleVersion
from trellis.i18n import translator
from trellis.records.query import Record
from trellis.records.types import Boolean
from trellis.scripts import drafts, own
from trellis.scripts.content import starter
from trellis.scripts.drafts import Draft, Part
from trellis.scripts.tables import SCRIPT
from trellis.web.display import origin
from trellis.web.script_editor import NEW, OUTCOME, STEP, editor, fields_of, preview
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go, sentences, view_of, whole_number
from trellis.web.views.script_pages import script_page

_ = translator("trellis")

blueprint = Blueprint("script_editing", __name__)


@blueprint.get(f"/<workspace>/{SCRIPT}/new")
def new(workspace: str) -> str:
    """What it is called and beside which records it runs, or as which script of the edition; then the editor."""
    view_of(SCRIPT)
    g.actor.require(SCRIPT, "create")
    return _new([])


@blueprint.post(f"/<workspace>/{SCRIPT}/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    view_of(SCRIPT)
    g.actor.require(SCRIPT, "create")
    name, entity = request.form.get("name", "").strip(), request.form.get("of_entity", "customer")
    try:
        made = g.records.create(SCRIPT, {"name": name, "draft": starter(name[:200], entity[:80])})
    except RecordInvalid as error:
        return _new(sentences(error)), 422
    return go(f"{base()}/{SCRIPT}/{made.id}/edit")


@blueprint.get(f"/<workspace>/{SCRIPT}/<int:record_id>/edit")
def edit(workspace: str, record_id: int) -> str:
    return _page(_editable(record_id), request.args.get("step", ""))


@blueprint.post(f"/<workspace>/{SCRIPT}/<int:record_id>/edit")
def save(workspace: str, record_id: int) -> str | tuple[str, int]:
    """Keeps what the form says, and does the act of the button that sent it."""
    record = _editable(record_id)
    key = request.form.get("step", "")
    draft = _given(record.values["draft"], key)
    draft, key, focus = _done(draft, key, request.form.get("act", "save"))
    values: dict[str, Any] = {"draft": draft}
    if "name" in request.form:
        values["name"] = request.form["name"].strip()
    try:
        version = whole_number(request.form.get("version", ""))
        record = g.records.update(SCRIPT, record_id, values, version=version)
    except RecordInvalid as error:
        return _part(record, key, problems=sentences(error), given=draft), 422
    except StaleVersion as error:
        return _part(record, key, problems=[str(error)]), 409
    return _part(record, key, focus=focus)


@blueprint.post(f"/<workspace>/{SCRIPT}/<int:record_id>/publish")
def publish(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    record = _editable(record_id)
    try:
        made = own.publish(g.records, record_id)
    except RecordInvalid:
        told = _("It cannot be published yet: what is wrong stands beside the steps")
        return _part(record, request.args.get("step", ""), problems=[str(told)]), 422
    toast(_("Version %(number)s is in use", number=made.values["published"]))
    return go(f"{base()}/{SCRIPT}/{record_id}/edit")


@blueprint.post(f"/<workspace>/{SCRIPT}/<int:record_id>/withdraw")
def withdraw(workspace: str, record_id: int) -> BaseResponse:
    record = own.withdraw(g.records, record_id)
    toast(_("“%(script)s” is out of use; conversations by it go on", script=record.values["name"]))
    return go(f"{base()}/{SCRIPT}/{record_id}/edit")


@blueprint.get(f"/<workspace>/{SCRIPT}/<int:record_id>/preview")
def look(workspace: str, record_id: int) -> str:
    """The draft, walked through without a record being touched."""
    record = _editable(record_id)
    path = [part for part in request.args.get("path", "").split(",") if part][:200]
    title = _("Preview of “%(script)s”", script=record.values["name"])
    return script_page("scripts/preview.html", title, preview=preview(record, path))


def _editable(record_id: int) -> Record:
    view_of(SCRIPT)
    record: Record = g.records.get(SCRIPT, record_id)
    if not g.actor.reaches(SCRIPT, "update", record.values):
        g.actor.require(SCRIPT, "update")
    return record


def _page(record: Record, step: str) -> str:
    return script_page("scripts/editor.html", record.values["name"], editor=editor(record, step))


def _part(record: Record, step: str, **options: Any) -> str:
    return render_template("scripts/edited.html", editor=editor(record, step, **options), shell=shell())


def _new(problems: list[str]) -> str:
    choice = {
        "problems": problems,
        "name": request.form.get("name", ""),
        "entities": [
            {"value": one.name, "title": str(one.info.plural)}
            for one in g.edition.entities.values()
            if one.info.parent is None and one.info.by_hand and g.actor.may(one.name, "read")
        ],
        "brought": [
            {
                "title": str(one.title),
                "text": str(one.description or ""),
                "origin": origin(g.edition, one.owner),
                "copy_url": f"{base()}/scripts/{one.name}/copy",
            }
            for one in g.edition.all(Script).values()
        ],
    }
    return script_page("scripts/new.html", _("New script"), choice=choice)


def _given(draft: Draft, key: str) -> Draft:
    """The draft with what the form says of a step, or of the whole."""
    step = drafts.step_of(draft, key)
    if step is None:
        return {
            **draft,
            "description": request.form.get("description", draft["description"]).strip(),
            "entities": request.form.getlist("entities") or draft["entities"],
            "outcomes": _parts(draft["outcomes"], "outcome", ("title", "result")),
            "objections": _parts(draft["objections"], "objection", ("title", "reply")),
        }
    changed = {
        **step,
        "say": request.form.get("say", step["say"]).strip(),
        "hint": request.form.get("hint", step["hint"]).strip(),
        "objections": _parts(step["objections"], "objection", ("title", "reply")),
        "answers": [],
    }
    for place, one in enumerate(step["answers"]):
        draft, answer = _answer(draft, one, place)
        changed["answers"].append(answer)
    return drafts.with_step(draft, changed)


def _parts(known: list[Part], name: str, fields: tuple[str, ...]) -> list[Part]:
    return [
        {
            **one,
            **{field: request.form.get(f"{name}-{place}-{field}", one[field]).strip() for field in fields},
        }
        for place, one in enumerate(known)
    ]


def _answer(draft: Draft, one: Part, place: int) -> tuple[Draft, Part]:
    """An answer as the form has it; where it leads to a new step, the draft has that."""

    def said(field: str, now: str) -> str:
        return request.form.get(f"answer-{place}-{field}", now).strip()

    leads = said("leads", f"{STEP}{one['to']}" if one["to"] else f"{OUTCOME}{one['outcome']}")
    to = leads.removeprefix(STEP) if leads.startswith(STEP) else ""
    if leads == NEW:
        draft, to = drafts.add_step(draft)
    fills = said("fills", one["fills"])
    value: Any = said("value", "" if one["value"] is None else str(one["value"])) if fills else ""
    declared = fields_of(draft).get(fills)
    if declared is not None and isinstance(declared.type, Boolean):
        value = {"true": True, "false": False, "True": True, "False": False}.get(value)
    return draft, {
        **one,
        "title": said("title", one["title"]),
        "to": to,
        "outcome": leads.removeprefix(OUTCOME) if leads.startswith(OUTCOME) else "",
        "fills": fills,
        "value": None if value == "" or (fills != one["fills"] and one["fills"]) else value,
        "asks": said("asks", one["asks"]),
    }


def _done(draft: Draft, key: str, act: str) -> tuple[Draft, str, str]:
    """The draft after an act, the step to look at then, and what has the focus."""
    name, _colon, number = act.partition(":")
    place = whole_number(number) or 0
    verb, _dash, part = name.partition("-")
    step = drafts.step_of(draft, key)
    if name == "add-step":
        draft, key = drafts.add_step(draft)
        return draft, key, "say"
    if name == "remove-step" and step is not None and len(draft["steps"]) > 1:
        return drafts.remove_step(draft, key), "", ""
    if name == "first-step" and step is not None:
        return drafts.make_first(draft, key), key, ""
    holder = draft if step is None else step
    if part not in holder or part not in ("answers", "objections", "outcomes"):
        return draft, key, ""
    if verb == "add":
        holder, focus = drafts.add_part(holder, part), f"{part[:-1]}-{len(holder[part])}-title"
    elif verb == "remove":
        holder, focus = drafts.remove_part(holder, part, place), ""
    else:
        holder, focus = drafts.move_up(holder, part, place), f"{part[:-1]}-{max(place - 1, 0)}-title"
    return (holder if step is None else drafts.with_step(draft, holder)), key, focus
