"""Editing in the rows of a list: one cell at a time, the whole row is answered."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, g, request

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.web.conflicts import update_field
from trellis.web.display import control, typed
from trellis.web.list_page import row_html
from trellis.web.listing import listed_at
from trellis.web.rows import is_typed
from trellis.web.shell import GIVEN_AWAY, still_seen
from trellis.web.views.lists import base, sentences, view_of, whole_number

blueprint = Blueprint("cells", __name__)


@blueprint.get("/<workspace>/<entity>/<int:record_id>/row")
def row(workspace: str, entity: str, record_id: int) -> str:
    """A row of the list that asks, as it is read, or with the cell ``?edit=`` open."""
    view = view_of(entity)
    if "edit" not in request.args:
        return _row(view, record_id)
    field = _field(view, request.args["edit"])
    record = g.records.get(entity, record_id)
    return _row(view, record_id, _editing(field, record, record.values.get(field.name), []))


@blueprint.post("/<workspace>/<entity>/<int:record_id>/row/<name>")
def save(workspace: str, entity: str, record_id: int, name: str) -> str | tuple[str, int] | Response:
    """Keeps what was typed into a cell. What is wrong with it, or who was faster, is said in the cell."""
    view = view_of(entity)
    field = _field(view, name)
    record = g.records.get(entity, record_id)
    try:
        version = whole_number(request.form.get("version", ""))
        saved = update_field(view, record, name, request.form, version)
    except TrellisError as error:
        return _row(
            view, record_id, _editing(field, record, typed(field, request.form), sentences(error))
        ), 422
    if not still_seen(saved):
        told = {"text": str(GIVEN_AWAY), "undo_url": ""}
        return Response("", headers={"HX-Trigger": json.dumps({"toast": told})})  # its row goes
    return _row(view, record_id)


def _field(view: EntityView, name: str) -> Field:
    field = view.fields.get(name)
    if field is None or not is_typed(field):
        abort(404)
    return field


def _editing(field: Field, record: Record, value: Any, errors: list[str]) -> dict[str, Any]:
    url = f"{base()}/{record.entity}/{record.id}/row"
    title = record.titles.get(field.name, "")
    made = control(g.edition, base(), field, value, title=title, errors=errors, values=record.values)
    return {
        "name": field.name,
        "field": {**made, "id": f"{made['id']}-{record.id}"},
        "url": f"{url}/{field.name}",
        "cancel_url": url,
        "version": record.version,
    }


def _row(view: EntityView, record_id: int, editing: dict[str, Any] | None = None) -> str:
    listing = listed_at(view, request.headers.get("HX-Current-URL", ""))
    return row_html(listing, base(), record_id, editing)
