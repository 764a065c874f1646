"""Journeys: one with its steps and figures, who is on it, and what people do with it (MC5)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.customers.inviting import segments_of
from trellis.crm.marketing.journeys import running, words
from trellis.crm.marketing.journeys.kept import version_of
from trellis.crm.marketing.journeys.members import Asked, members, number_of, versions_of
from trellis.errors import RecordInvalid
from trellis.i18n import Text, format_number, plural_translator, translator
from trellis.journeys.program import walk
from trellis.letters.writing import may_send
from trellis.records.query import Record
from trellis.web import journeys as shown
from trellis.web.overlay import dialog_form
from trellis.web.sheets import Sheet, asked_file
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, messages, view_of, whole_number

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("journeys", __name__)

PER_PAGE = 50
MOST_IN_FILE = 10_000


@blueprint.get("/<workspace>/journeys")
def show_all(workspace: str) -> BaseResponse:
    """The list of journeys is one of records."""
    view_of("journey")
    return redirect(f"{base()}/journey")


@blueprint.get("/<workspace>/journey/<int:record_id>")
def show(workspace: str, record_id: int) -> str:
    record = _record(record_id)
    chosen = whole_number(request.args.get("version", ""))
    plan = record.values["plan"]
    wrong = running.problems(g.records, plan) if plan["steps"] else {}
    mails = any(step["kind"] == "message" for _key, step in walk(plan["steps"]))
    context = {
        **shown.head(record, "", base()),
        **shown.picture(record, chosen, base()),
        "states": shown.states(record, base()),
        "effect": shown.effect(record, base()),
        "no_mail": mails and not may_send(g.installation.config),
        "problems": str(
            _n("%(num)s thing keeps it from starting", "%(num)s things keep it from starting", len(wrong))
        )
        if wrong
        else "",
    }
    return _page("journeys/one.html", record, journey=context)


@blueprint.get("/<workspace>/journey/<int:record_id>/members")
def show_members(workspace: str, record_id: int) -> str | Response:
    """Who is on a journey, or was; also as a file."""
    record = _record(record_id)
    g.actor.require("customer", "read")
    asked, label = _asked(record_id)
    if request.args.get("table"):
        rows = shown.member_rows(members(g.records, record_id, asked, MOST_IN_FILE), base())
        file = asked_file([_sheet(rows)])
        if file is not None:
            return file
    before = whole_number(request.args.get("before", ""))
    found = members(g.records, record_id, asked, PER_PAGE + 1, before)
    given = {name: value for name, value in request.args.items() if name != "before"}
    context = {
        **shown.head(record, "members", base()),
        "rows": shown.member_rows(found[:PER_PAGE], base()),
        "total": format_number(number_of(g.records, record_id)),
        "label": label,
        "whole_url": f"{base()}/journey/{record_id}/members" if given else "",
        "states": shown.states(record, base()),
        "older": found[PER_PAGE - 1].id if len(found) > PER_PAGE else None,
        "given": given,
        "files": _sheet([]).context()["files"],
    }
    return _page("journeys/members.html", record, journey=context)


def _asked(journey: int) -> tuple[Asked, str]:
    """Which members the address asks for, and how that is called."""
    given = request.args
    group, state, step = given.get("group", ""), given.get("state", ""), given.get("step", "")
    number = whole_number(given.get("version", ""))
    known = versions_of(g.session, journey)
    row = next((one for one in known if one.number == number), known[0] if known and step else None)
    asked = Asked(
        state=state if state in words.MEMBER_STATES else "",
        step=step,
        outcome=given.get("outcome", ""),
        version=row.id if row else None,
        control={"control": True, "treated": False}.get(group, False if state else None),
        reached=given.get("reached") == "true",
    )
    parts: list[Text | str] = []
    if asked.state:
        parts.append(words.MEMBER_STATES[asked.state][0])
    if step and row:
        node = version_of(g.session, g.edition, row.id).program.get(step)
        parts.append(words.title_of(g.edition, node.step, shown.mails()) if node else step)
        parts += [words.OUTCOMES[asked.outcome][0]] if asked.outcome in words.OUTCOMES else []
    if group:
        parts.append(_("Control group") if group == "control" else _("Got the journey"))
    if asked.reached:
        parts.append(_("Reached the goal"))
    return asked, " · ".join(map(str, parts))


def _sheet(rows: list[dict[str, Any]]) -> Sheet:
    names = ("title", "state", "step", "due", "entered", "ended", "reached")
    heads = (
        _("Customer"),
        _("State"),
        _("Stands at"),
        _("Due"),
        _("Came in"),
        _("Ended"),
        _("Reached the goal"),
    )
    texts = [[row[name] for name in names] for row in rows]
    return Sheet(name="customers", title=_("Customers"), heads=heads, texts=texts, rows=texts)


@blueprint.post("/<workspace>/journey/<int:record_id>/publish")
def publish(workspace: str, record_id: int) -> BaseResponse:
    """Starts it; with faults the editor shows them."""
    _record(record_id)
    try:
        running.publish(g.records, record_id)
    except RecordInvalid:
        return go(f"{base()}/journey/{record_id}/edit?check=true")
    toast(_("The journey runs"))
    return go(f"{base()}/journey/{record_id}")


@blueprint.post("/<workspace>/journey/<int:record_id>/pause")
def pause(workspace: str, record_id: int) -> BaseResponse:
    _record(record_id)
    running.pause(g.records, record_id)
    toast(_("Paused: everybody stands where they are"))
    return go(f"{base()}/journey/{record_id}")


@blueprint.post("/<workspace>/journey/<int:record_id>/resume")
def resume(workspace: str, record_id: int) -> BaseResponse:
    _record(record_id)
    running.resume(g.records, record_id)
    toast(_("The journey goes on"))
    return go(f"{base()}/journey/{record_id}")


@blueprint.get("/<workspace>/journey/<int:record_id>/stop")
def ask_to_stop(workspace: str, record_id: int) -> str:
    record = _record(record_id)
    text = _("It ends for all who are on the way; what they got stays. It can be started again, for others")
    return _dialog(
        record, "stop", _("Stop “%(name)s”?", name=record.values["name"]), text, _("Stop"), danger=True
    )


@blueprint.post("/<workspace>/journey/<int:record_id>/stop")
def stop(workspace: str, record_id: int) -> BaseResponse:
    _record(record_id)
    running.stop(g.records, record_id)
    toast(_("Stopped"))
    return go(f"{base()}/journey/{record_id}")


@blueprint.get("/<workspace>/journey/<int:record_id>/bring-in")
def ask_to_bring_in(workspace: str, record_id: int) -> str:
    return _bring_in_dialog(_record(record_id), {})


@blueprint.post("/<workspace>/journey/<int:record_id>/bring-in")
def bring_in(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    record = _record(record_id)
    try:
        running.bring_in(g.records, record_id, request.form.get("segment", ""))
    except RecordInvalid as error:
        return _bring_in_dialog(record, messages(error)), 422
    toast(_("They come in, in the background"))
    return go(f"{base()}/journey/{record_id}")


@blueprint.post("/<workspace>/journey/<int:record_id>/take-out")
def take_out(workspace: str, record_id: int) -> BaseResponse:
    """Ends the journey of one customer."""
    _record(record_id)
    running.take_out(g.records, record_id, whole_number(request.form.get("customer", "")) or 0)
    toast(_("Taken out"))
    return go(f"{base()}/journey/{record_id}/members")


def _bring_in_dialog(record: Record, errors: dict[str, list[str]]) -> str:
    options = [
        {"value": one.name, "title": str(one.title), "selected": False} for one in segments_of(g.edition)
    ]
    field = {
        "id": "segment",
        "name": "segment",
        "label": str(_("Segment or list")),
        "kind": "choice",
        "value": "",
        "required": True,
        "help": str(_("Who was on it already comes again only as its terms say")),
        "errors": errors.get("segment", []),
        "options": options,
    }
    title = _("Who comes onto “%(name)s”?", name=record.values["name"])
    return _dialog(record, "bring-in", title, "", _("Bring in"), fields=[field])


def _dialog(record: Record, act: str, title: Text, text: Text | str, verb: Text, **more: Any) -> str:
    dialog = {
        "title": str(title),
        "text": str(text),
        "action": f"{base()}/journey/{record.id}/{act}",
        "verb": str(verb),
        "fields": [],
        "hidden": [],
        **more,
    }
    return dialog_form(dialog)


def _record(record_id: int) -> Record:
    view_of("journey")
    return g.records.get("journey", record_id)  # type: ignore[no-any-return]


def _page(template: str, record: Record, **context: Any) -> str:
    return entity_page(template, view_of("journey"), title=record.values["name"], inside=True, **context)
