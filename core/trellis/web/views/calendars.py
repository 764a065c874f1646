"""Calendars: the records of a list on their days, and moving one to another day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import RuleInvalid, TrellisError
from trellis.i18n import format_date, translator
from trellis.records.calendar import move_to_day
from trellis.records.types import DateTime
from trellis.web.calendar import calendar_context
from trellis.web.display import title_of
from trellis.web.listing import Listing, listed_at, read_listing
from trellis.web.overlay import dialog_form
from trellis.web.shell import entity_page
from trellis.web.views.lists import base, sentences, view_of, whole_number, without_rule

_ = translator("trellis")

blueprint = Blueprint("calendars", __name__)


@blueprint.get("/<workspace>/<entity>/calendar")
def show(workspace: str, entity: str) -> str | BaseResponse:
    view = _dated(entity)
    state = {name: value for name, value in request.args.items() if name not in ("span", "at")}
    listing = read_listing(view, request.args if state else MultiDict({"view": "all"}))
    try:
        return _page(view, listing, request.args.get("span", ""), request.args.get("at", ""))
    except RuleInvalid as error:
        kept = tuple((name, request.args[name]) for name in ("span", "at") if name in request.args)
        return without_rule(replace(listing, shape="calendar", kept=kept), error)


@blueprint.get("/<workspace>/<entity>/<int:record_id>/day")
def ask(workspace: str, entity: str, record_id: int) -> str:
    """A dialog for the day and its time, for those who do not drag."""
    return _dialog(_dated(entity), record_id, "", [])


@blueprint.post("/<workspace>/<entity>/<int:record_id>/day")
def move(workspace: str, entity: str, record_id: int) -> Response | tuple[str, int]:
    """Moves a record to another day, or to a time of one, and answers with the calendar; or says why not."""
    view = _dated(entity)
    text = request.values.get("day", "")
    day = _read(text)
    if day is None:
        return _dialog(view, record_id, text, [str(_("Must be a date such as 2026-11-23"))]), 422
    version = whole_number(request.form.get("version", ""))
    try:
        before = move_to_day(g.records, entity, record_id, day, version)
    except TrellisError as error:
        return _dialog(view, record_id, text, sentences(error)), 422
    undo = f"{request.path}?day={before.isoformat()}"
    said = {"text": str(_("Moved to %(day)s", day=_told(day))), "undo_url": undo}
    if "undone" in request.args:
        said = {"text": str(_("Moved back to %(day)s", day=_told(day))), "undo_url": ""}
    else:
        said["undo_url"] += "&undone=1"
    address = urlsplit(request.headers.get("HX-Current-URL", ""))
    asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
    html = _page(view, listed_at(view, address.geturl()), asked.get("span", ""), asked.get("at", ""))
    heads = {
        "HX-Retarget": "#calendar",
        "HX-Reselect": "#calendar",
        "HX-Reswap": "outerHTML",
        "HX-Trigger": json.dumps({"toast": said, "dialog-close": {}}),
        "HX-Trigger-After-Settle": json.dumps({"day-moved": {"id": record_id}}),
    }
    return Response(html, headers=heads)


def _read(text: str) -> date | None:
    """A day, or a time of one (``2026-11-23T09:30``); None for what is neither."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None


def _told(day: date) -> str:
    timed = isinstance(day, datetime) and day.time() != time()
    return f"{format_date(day)}, {day:%H:%M}" if timed else format_date(day)


def _dated(entity: str) -> EntityView:
    view = view_of(entity)
    if not view.info.date_field:
        abort(404)
    return view


def _page(view: EntityView, listing: Listing, span: str, at: str) -> str:
    context = calendar_context(listing, base(), span, at)
    return entity_page(
        "calendar.html", view, title=_("Calendar"), inside=True, calendar=context, list=context["bar"]
    )


def _dialog(view: EntityView, record_id: int, given: str, errors: list[str]) -> str:
    record = g.records.get(view.name, record_id)
    field = view.fields[view.info.date_field or ""]
    value: Any = record.values.get(field.name)
    timed = isinstance(field.type, DateTime)
    local = value.astimezone(ZoneInfo(g.edition.settings.timezone)) if isinstance(value, datetime) else value
    day = given or (format(local, "%Y-%m-%dT%H:%M" if timed else "%Y-%m-%d") if local is not None else "")
    dialog = {
        "title": str(
            _("Move “%(title)s” to when?", title=title_of(view, record))
            if timed
            else _("Move “%(title)s” to which day?", title=title_of(view, record))
        ),
        "action": f"{base()}/{view.name}/{record_id}/day",
        "verb": str(_("Move")),
        "hidden": [("version", record.version)],
        "fields": [
            {
                "id": "day",
                "name": "day",
                "label": str(field.label),
                "kind": "datetime" if timed else "date",
                "required": True,
                "value": day,
                "errors": errors,
            }
        ],
    }
    return dialog_form(dialog)
