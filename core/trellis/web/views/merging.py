"""Merging records, two or a group of duplicates: the other one is found, the fields are chosen side by side, and it can be taken back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.quality import merging
from trellis.quality.duplicates import MOST_IN_GROUP
from trellis.records.query import Record
from trellis.web.display import origin, shown, title_of
from trellis.web.overlay import dialog_form
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, sentences, view_of, whole_number, whole_numbers

_ = translator("trellis")

blueprint = Blueprint("merging", __name__)


@blueprint.get("/<workspace>/<entity>/<int:record_id>/merge")
def ask(workspace: str, entity: str, record_id: int) -> str:
    """Asks for the other record."""
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    other = {
        "id": "other",
        "name": "other",
        "label": str(_("The other record")),
        "kind": "reference",
        "search_url": f"{base()}/{entity}/options",
        "required": True,
        "errors": [],
        "options": [],
    }
    dialog = {
        "title": str(_("Merge “%(name)s” with which record?", name=title_of(view, record))),
        "text": str(_("In the next step you choose what is kept of each.")),
        "action": f"{base()}/{entity}/{record_id}/merge",
        "verb": str(_("Next")),
        "fields": [other],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/merge")
def chosen(workspace: str, entity: str, record_id: int) -> BaseResponse:
    view_of(entity)
    return go(f"{base()}/{entity}/merge?ids={record_id},{whole_number(request.form.get('other', '')) or 0}")


@blueprint.post("/<workspace>/<entity>/bulk/merge")
def ticked(workspace: str, entity: str) -> BaseResponse:
    """The ticked rows side by side, when they are no more than a group of duplicates."""
    view_of(entity)
    ids = whole_numbers(request.form.get("ids", ""))
    if not 2 <= len(ids) <= MOST_IN_GROUP:
        toast(_("Tick two to %(most)s records to merge them", most=MOST_IN_GROUP))
        return go(request.headers.get("HX-Current-URL") or f"{base()}/{entity}")
    return go(f"{base()}/{entity}/merge?ids={','.join(map(str, ids))}")


@blueprint.get("/<workspace>/<entity>/merge")
def compare(workspace: str, entity: str) -> str:
    view = view_of(entity)
    found = _asked(entity)
    return _page(view, found, "" if found else str(_("Choose two different records")))


@blueprint.post("/<workspace>/<entity>/merge")
def merge(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    """``id`` are those that become one, ``keep`` is what stays; ``field:<name>`` the one whose value is kept."""
    view = view_of(entity)
    asked = [one.id for one in _asked(entity)]
    ids = [one for one in whole_numbers(",".join(request.form.getlist("id"))) if one in asked]
    keep = whole_number(request.form.get("keep", ""))
    others = [one for one in dict.fromkeys(ids) if one != keep]
    if keep not in asked or not others:
        return _page(view, _asked(entity), str(_("Choose two different records"))), 422
    try:
        with g.records.whole():
            for other in others:
                take = [name for name in view.fields if request.form.get(f"field:{name}") == str(other)]
                merging.merge(g.records, entity, keep, other, take)
    except TrellisError as error:
        return _page(view, _asked(entity), " ".join(sentences(error))), 422
    *also, last = others
    undo = f"{base()}/{entity}/{keep}/unmerge/{last}"
    toast(_("Merged"), f"{undo}?also={','.join(map(str, reversed(also)))}" if also else undo)
    return go(f"{base()}/{entity}/{keep}")


def _asked(entity: str) -> list[Record]:
    """The records of the address; none where they are not at least two."""
    ids = list(dict.fromkeys(whole_numbers(request.args.get("ids", ""))))[:MOST_IN_GROUP]
    found = [g.records.get(entity, one) for one in ids]
    return found if len(found) > 1 else []


@blueprint.post("/<workspace>/<entity>/<int:record_id>/unmerge/<int:other>")
def unmerge(workspace: str, entity: str, record_id: int, other: int) -> BaseResponse:
    """With ``also`` those that were merged before it too, the last first."""
    view_of(entity)
    with g.records.whole():
        for one in (other, *whole_numbers(request.args.get("also", ""))):
            merging.unmerge(g.records, entity, one)
    toast(_("The merge was taken back"))
    return go(f"{base()}/{entity}/{other}")


def _page(view: EntityView, records: list[Record], problem: str) -> str:
    context: dict[str, Any] = {
        "action": f"{base()}/{view.name}/merge?ids={','.join(str(one.id) for one in records)}",
        "list_url": f"{base()}/{view.name}",
        "problem": problem,
        "records": [
            {"id": one.id, "title": title_of(view, one), "url": f"{base()}/{view.name}/{one.id}"}
            for one in records
        ],
        "rows": list(_rows(view, records)) if records else [],
    }
    return entity_page("merge.html", view, title=_("Merge"), inside=True, merge=context)


def _rows(view: EntityView, records: list[Record]) -> Any:
    first, *others = records
    better: dict[str, int] = {}
    for other in reversed(others):
        better |= dict.fromkeys(merging.merged_values(first.values, other.values, view), other.id)
    for name, field in view.fields.items():
        if field.read_only or all(one.values.get(name) == first.values.get(name) for one in others):
            continue
        yield {
            "name": name,
            "label": str(field.label),
            "origin": origin(g.edition, field.owner),
            "cells": [
                {
                    "id": one.id,
                    "value": {**shown(g.edition, base(), field, one), "url": ""},  # a click chooses it
                    "checked": one.id == better.get(name, first.id),
                }
                for one in records
            ],
        }
