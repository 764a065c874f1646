"""Merging two records: the other one is found, the fields are chosen side by side, and it can be taken back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.quality import merging
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
    """The ticked rows side by side, when they are two."""
    view_of(entity)
    ids = whole_numbers(request.form.get("ids", ""))
    if len(ids) != 2:
        toast(_("Tick two records to merge them"))
        return go(request.headers.get("HX-Current-URL") or f"{base()}/{entity}")
    return go(f"{base()}/{entity}/merge?ids={','.join(map(str, ids))}")


@blueprint.get("/<workspace>/<entity>/merge")
def compare(workspace: str, entity: str) -> str:
    view = view_of(entity)
    ids = whole_numbers(request.args.get("ids", ""))[:2]
    found = [g.records.get(entity, one) for one in ids]
    if len(found) < 2 or found[0].id == found[1].id:
        return _page(view, [], str(_("Choose two different records")))
    return _page(view, found, "")


@blueprint.post("/<workspace>/<entity>/merge")
def merge(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    """``keep`` is the record that stays; ``field:<name>`` the one whose value is kept."""
    view = view_of(entity)
    ids = whole_numbers(",".join(request.form.getlist("id")))
    keep = whole_number(request.form.get("keep", ""))
    others = [one for one in ids if one != keep]
    if keep is None or keep not in ids or len(others) != 1:
        return _page(view, [], str(_("Choose two different records"))), 422
    take = [name for name in view.fields if request.form.get(f"field:{name}") == str(others[0])]
    try:
        merging.merge(g.records, entity, keep, others[0], take)
    except TrellisError as error:
        return _page(view, [g.records.get(entity, one) for one in ids], " ".join(sentences(error))), 422
    toast(_("Merged"), f"{base()}/{entity}/{keep}/unmerge/{others[0]}")
    return go(f"{base()}/{entity}/{keep}")


@blueprint.post("/<workspace>/<entity>/<int:record_id>/unmerge/<int:other>")
def unmerge(workspace: str, entity: str, record_id: int, other: int) -> BaseResponse:
    view_of(entity)
    merging.unmerge(g.records, entity, other)
    toast(_("The merge was taken back"))
    return go(f"{base()}/{entity}/{other}")


def _page(view: EntityView, records: list[Record], problem: str) -> str:
    context: dict[str, Any] = {
        "action": f"{base()}/{view.name}/merge",
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
    first, second = records
    better = set(merging.merged_values(first.values, second.values, view))
    for name, field in view.fields.items():
        if field.read_only or first.values.get(name) == second.values.get(name):
            continue
        yield {
            "name": name,
            "label": str(field.label),
            "origin": origin(g.edition, field.owner),
            "cells": [
                {
                    "id": one.id,
                    "value": shown(g.edition, base(), field, one),
                    "checked": (one is second) == (name in better),
                }
                for one in records
            ],
        }
