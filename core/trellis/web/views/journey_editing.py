"""The editor of a journey: a page of its own in place of the form of its record (MC5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Journey
from trellis.crm.marketing.journeys import running
from trellis.errors import RecordInvalid, StaleVersion
from trellis.i18n import translator
from trellis.records.query import Record
from trellis.web import journey_form
from trellis.web.display import origin
from trellis.web.journey_editor import Editor
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, messages, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("journey_editing", __name__)


@blueprint.get("/<workspace>/journey/new")
def new(workspace: str) -> str:
    """Which journey to begin with: one that the edition brings, or an empty one."""
    return _choice("", {})


@blueprint.post("/<workspace>/journey/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    view_of("journey")
    name, like = request.form.get("name", ""), request.form.get("like", "")
    if like:
        brought: Journey | None = g.edition.all(Journey).get(like)
        if brought is None:
            abort(404)
        made = running.adopt(g.records, brought)
    else:
        try:
            made = g.records.create("journey", {"name": name})
        except RecordInvalid as error:
            return _choice(name, messages(error)), 422
    return go(f"{base()}/journey/{made.id}/edit")


@blueprint.get("/<workspace>/journey/<int:record_id>/edit")
def edit(workspace: str, record_id: int) -> str:
    record = _record(record_id)
    errors = running.problems(g.records, record.values["plan"]) if request.args.get("check") else {}
    return _editor(record, record.values, record.values["plan"], errors)


@blueprint.post("/<workspace>/journey/<int:record_id>/edit")
def save(workspace: str, record_id: int) -> str | BaseResponse | tuple[str, int]:
    """Does what the button asks for: another step, one less, saving, or starting."""
    record = _record(record_id)
    act = request.form.get("act", "save")
    given = journey_form.read(request.form)
    values = {"name": request.form.get("name", ""), "about": request.form.get("about", "")}
    if act not in ("save", "publish"):
        focus = journey_form.change(given.plan, act, request.form)
        return _editor(record, values, given.plan, given.errors, focus)
    wrong = given.errors or (running.problems(g.records, given.plan) if act == "publish" else {})
    if wrong:
        return _editor(record, values, given.plan, wrong), 422
    version = whole_number(request.form.get("version", ""))
    written = {**values, "about": values["about"] or None, "plan": given.plan}
    try:
        g.records.update("journey", record_id, written, version)
    except (RecordInvalid, StaleVersion) as error:
        return _editor(record, values, given.plan, messages(error)), error.status
    if act == "publish":
        running.publish(g.records, record_id)
    toast(_("The journey runs") if act == "publish" else _("Saved as a draft"))
    return go(f"{base()}/journey/{record_id}")


def _editor(
    record: Record,
    values: Mapping[str, Any],
    plan: Mapping[str, Any],
    errors: Mapping[str, list[Any]],
    focus: str = "",
) -> str:
    editor = Editor(
        base(), plan, {name: [str(one) for one in found] for name, found in errors.items()}, focus
    )
    context = {
        **editor.context(values["name"] or "", values["about"] or ""),
        "action": f"{base()}/journey/{record.id}/edit",
        "cancel_url": f"{base()}/journey/{record.id}",
        "version": request.form.get("version") if "_record" in errors else record.version,
        "running": record.values["state"] in ("running", "paused"),
    }
    title = _("Edit “%(name)s”", name=record.values["name"])
    return entity_page("journeys/editor.html", view_of("journey"), title=title, inside=True, editor=context)


def _choice(name: str, errors: Mapping[str, list[str]]) -> str:
    view = view_of("journey")
    g.actor.require("journey", "create")
    context = {
        "action": f"{base()}/journey/new",
        "name": name,
        "errors": errors.get("name", []),
        "brought": [
            {
                "name": one.name,
                "title": str(one.title),
                "about": str(one.description or ""),
                "origin": origin(g.edition, one.owner),
            }
            for one in g.edition.all(Journey).values()
        ],
    }
    return entity_page("journeys/new.html", view, title=_("New journey"), inside=True, choice=context)


def _record(record_id: int) -> Record:
    """A journey that the reader may change. Raises RecordNotFound, PermissionRefused."""
    view_of("journey")
    return running.mine(g.records, record_id)
