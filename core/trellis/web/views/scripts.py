"""Leading a conversation beside a record: the panel, answer by answer."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.scripts.running import Conversation, Conversations
from trellis.scripts.tables import DONE
from trellis.web.record_page import prop
from trellis.web.script_panel import panel, typed
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go, messages, sentences, view_of

_ = translator("trellis")

blueprint = Blueprint("scripts", __name__)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/script")
def start(workspace: str, entity: str, record_id: int) -> BaseResponse:
    """Begins a conversation by the script that is chosen."""
    view_of(entity)
    run = Conversations(g.records).start(request.form.get("script", ""), entity, record_id)
    return _to_page(run)


@blueprint.get("/<workspace>/scripts/runs/<int:number>")
def show(workspace: str, number: int) -> BaseResponse:
    """The record with the panel."""
    return _to_page(Conversations(g.records).get(number))


@blueprint.post("/<workspace>/scripts/runs/<int:number>/answer")
def answer(workspace: str, number: int) -> BaseResponse | tuple[str, int]:
    talks = Conversations(g.records)
    before = talks.get(number)
    choice = request.form.get("choice", "")
    try:
        run = talks.answer(number, request.form.get("step", ""), choice, typed(before, choice))
    except RecordInvalid as error:
        return _panel(before, errors=messages(error), chosen=choice), 422
    except Conflict as error:
        return _panel(talks.get(number), problem=str(error)), 409
    return _to_page(run) if run.state == DONE else _with_fields(run)


@blueprint.post("/<workspace>/scripts/runs/<int:number>/object")
def object_(workspace: str, number: int) -> str | tuple[str, int]:
    talks = Conversations(g.records)
    objection = request.form.get("objection", "")
    try:
        run = talks.object(number, request.form.get("step", ""), objection)
    except (Conflict, RecordInvalid) as error:
        return _panel(talks.get(number), problem=" ".join(sentences(error))), 409
    return _panel(run, objected=objection)


@blueprint.post("/<workspace>/scripts/runs/<int:number>/back")
def back(workspace: str, number: int) -> BaseResponse | tuple[str, int]:
    talks = Conversations(g.records)
    before = talks.get(number)
    try:
        run = talks.back(number)
    except (Conflict, RecordInvalid) as error:
        return _panel(talks.get(number), problem=" ".join(sentences(error))), 409
    return _to_page(run) if before.state == DONE else _with_fields(run, before)


@blueprint.post("/<workspace>/scripts/runs/<int:number>/stop")
def stop(workspace: str, number: int) -> BaseResponse:
    run = Conversations(g.records).stop(number)
    toast(_("“%(script)s” is broken off; it can be gone on with", script=run.script.title))
    return _to_page(run)


@blueprint.post("/<workspace>/scripts/runs/<int:number>/resume")
def resume(workspace: str, number: int) -> BaseResponse:
    return _to_page(Conversations(g.records).resume(number))


def _to_page(run: Conversation) -> BaseResponse:
    """The page of the record anew, with this conversation beside it: what it filled is seen everywhere."""
    return go(f"{base()}/{run.entity}/{run.record.id}?conversation={run.id}")


def _panel(run: Conversation, **options: Any) -> str:
    return render_template("scripts/panel.html", conversation=panel(run, base(), **options), shell=shell())


def _with_fields(run: Conversation, before: Conversation | None = None) -> Response:
    """The panel, and the fields of the record that the last answer filled, or that are as they were again."""
    touched = {one.field for one in (before or run).passed[-1:]}
    view = g.edition.entity(run.entity)
    props = [prop(view, run.record, view.fields[name], base()) for name in touched if name in view.fields]
    html = render_template("scripts/panel.html", conversation=panel(run, base()), props=props, shell=shell())
    events = {"record-version": {"value": run.record.version}}
    return Response(html, headers={"HX-Trigger": json.dumps(events)})
