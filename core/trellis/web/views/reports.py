"""Reports: those that the edition brings and one's own, made from a list, read as a file, and sent."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import Blueprint, Response, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Report
from trellis.crm.project.rows import DIRECTIONS
from trellis.crm.sales.reports import sending
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.entities import FORMATS, RHYTHMS
from trellis.crm.sales.reports.making import TYPES, kept, make_file
from trellis.errors import RecordInvalid
from trellis.files import saved_as
from trellis.i18n import plural_translator, translator
from trellis.records.types import Text
from trellis.web.display import origin
from trellis.web.listing import full_rule, read_listing, shown_columns
from trellis.web.overlay import dialog_form
from trellis.web.shell import entity_page, page, toast
from trellis.web.views import records
from trellis.web.views.lists import base, go, messages, view_of
from trellis.web.vocabularies import choices

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("reports", __name__)


@blueprint.get("/<workspace>/reports")
def show(workspace: str) -> str:
    """What the edition brings; one's own are a list of records."""
    may_keep = g.actor.may("report", "create")
    rows = [
        {
            "title": str(one.title),
            "about": str(one.description or ""),
            "origin": origin(g.edition, one.owner),
            "entity": str(g.edition.entity(one.entity).info.plural),
            "files": [
                (str(option.label), f"{base()}/reports/{one.name}/file?format={option.value}")
                for option in FORMATS
            ],
            "keep_url": f"{base()}/reports/{one.name}" if may_keep else "",
        }
        for one in g.edition.all(Report).values()
        if one.entity in g.edition.entities and g.actor.may(one.entity, "read")
    ]
    return page(
        "reports/page.html",
        title=_("Automated reports"),
        crumbs=[(DIRECTIONS[Direction.SALES], "model")],
        direction=Direction.SALES.value,
        level="operations",
        reports={"rows": rows, "own_url": f"{base()}/report" if g.actor.may("report", "read") else ""},
    )


@blueprint.get("/<workspace>/report/new")
def new(workspace: str) -> str | BaseResponse:
    """What a new report is about comes first: its columns and totals are chosen from that."""
    view = view_of("report")
    if request.args.get("of_entity") or not g.actor.may("report", "create"):
        return records.new(workspace, "report")
    about = view.fields["of_entity"]
    assert isinstance(about.type, Text)
    choice = {
        "title": str(view.info.new),
        "about": str(about.label),
        "entities": [{"value": name, "title": title} for name, title in choices(about.type, {})],
        "has_subjects": False,
        "contributed": [],
    }
    return entity_page("letters/new.html", view, title=view.info.new or "", inside=True, choice=choice)


@blueprint.get("/<workspace>/reports/<name>/file")
def file_of(workspace: str, name: str) -> Response:
    """The file of a report that the edition brings."""
    brought = _brought(name)
    return _file(str(brought.title), Definition.of_contribution(brought), request.args.get("format", "xlsx"))


@blueprint.post("/<workspace>/reports/<name>")
def keep(workspace: str, name: str) -> BaseResponse:
    """A report of one's own like one that the edition brings, to be changed and sent."""
    brought = _brought(name)
    values = {"name": str(brought.title), "about": str(brought.description or "") or None}
    made = g.records.create("report", values | Definition.of_contribution(brought).values())
    return go(f"{base()}/report/{made.id}")


@blueprint.get("/<workspace>/<entity>/report")
def ask(workspace: str, entity: str) -> str:
    """A dialog that makes a report of the list that is shown."""
    listing = read_listing(view_of(entity), request.args)
    title = listing.view.info.title_field
    names = [name for name in (title, *shown_columns(listing)) if name in listing.view.fields]
    definition = Definition(
        entity=entity,
        rule=full_rule(listing),
        columns=names,
        sort=listing.setup.sort,
        group=listing.setup.group,
        totals=[listing.view.info.amount_field] if listing.view.info.amount_field in names else [],
    )
    return _dialog(entity, json.dumps(definition.values(), ensure_ascii=False), {})


@blueprint.post("/<workspace>/<entity>/report")
def make(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    text = request.form.get("definition", "")
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        abort(400)
    values = {key: given.get(key) for key in ("rule", "columns", "sort_by", "group_by", "totals")}
    chosen = {key: request.form.get(key, "") for key in ("name", "rhythm", "format")}
    try:
        made = g.records.create("report", {**values, **chosen, "of_entity": entity})
    except RecordInvalid as error:
        return _dialog(entity, text, messages(error)), 422
    toast(_("Report “%(title)s” made", title=made.values["name"]))
    return go(f"{base()}/report/{made.id}")


@blueprint.get("/<workspace>/report/<int:record_id>/file")
def file(workspace: str, record_id: int) -> Response:
    """The file of one's own report, as it would be sent now, or in another format that is asked for."""
    g.records.get("report", record_id)
    report = kept(g.session, record_id)
    if report is None:
        abort(404)
    return _file(report["name"], Definition.of(report), request.args.get("format", report["format"]))


@blueprint.post("/<workspace>/report/<int:record_id>/send")
def send(workspace: str, record_id: int) -> BaseResponse:
    """Sends a report to its recipients now."""
    number = sending.send_now(g.records, record_id)
    toast(_n("The report goes to %(num)s person", "The report goes to %(num)s people", number))
    return go(f"{base()}/report/{record_id}")


def _brought(name: str) -> Report:
    found: Report | None = g.edition.all(Report).get(name)
    if found is None or not g.actor.may(found.entity, "read"):
        abort(404)
    return found


def _file(name: str, definition: Definition, ending: str) -> Response:
    if ending not in TYPES:
        abort(404)
    with TemporaryDirectory(prefix="trellis-report-") as folder:
        path, _rows = make_file(Path(folder), g.session, g.edition, g.actor, name, definition, ending)
        answer = Response(path.read_bytes(), content_type=TYPES[ending])
        answer.headers["Content-Disposition"] = saved_as(path.name)
        return answer


def _dialog(entity: str, definition: str, errors: dict[str, list[str]]) -> str:
    title = {
        "id": "name",
        "name": "name",
        "label": str(_("Name")),
        "kind": "text",
        "required": True,
        "value": request.form.get("name", ""),
        "errors": [text for found in errors.values() for text in found],
    }
    dialog = {
        "title": str(_("Report from this list")),
        "text": str(_("Its recipients get the records that they may see, as they are on that day.")),
        "action": f"{base()}/{entity}/report",
        "verb": str(_("Make the report")),
        "fields": [
            title,
            _choice("rhythm", _("How often"), RHYTHMS),
            _choice("format", _("Format"), FORMATS),
        ],
        "hidden": [("definition", definition)],
    }
    return dialog_form(dialog)


def _choice(name: str, label: Any, options: Any) -> dict[str, Any]:
    chosen = request.form.get(name, options[0].value)
    return {
        "id": name,
        "name": name,
        "label": str(label),
        "kind": "choice",
        "required": True,
        "no_blank": True,
        "options": [
            {"value": one.value, "title": str(one.label), "selected": one.value == chosen} for one in options
        ],
        "errors": [],
    }
