"""Acts on many records over REST: all that a filter finds, or those with these ids; and undoing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.records import mass
from trellis.records.mass import Done, Selection
from trellis.records.undoing import undo as undo_change
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import Malformed, refusals

_ = translator("trellis")

_MEMBERS: Mapping[str, type] = {
    "act": str,
    "ids": list,
    "filter": dict,
    "q": str,
    "values": dict,
    "leave_out": bool,
}


@blueprint.post("/<name:entity>:mass")
def change_many(workspace: str, entity: str) -> Response:
    no_arguments()
    view: EntityView = g.edition.entity(entity)
    body = json_members(_MEMBERS)
    selection, leave_out = _selection(body), body.get("leave_out", False)
    act, values = body.get("act"), body.get("values")
    if (values is not None) != (act == "update"):
        raise Malformed(_("“values” are what an update writes; the other acts take none"), "values")
    match act:
        case "update":
            done = mass.update(g.records, view.name, selection, values or {}, leave_out=leave_out)
        case "delete":
            done = mass.delete(g.records, view.name, selection, leave_out=leave_out)
        case "restore":
            done = mass.restore(g.records, view.name, selection, leave_out=leave_out)
        case _:
            raise Malformed(_("“act” is one of: %(known)s", known="update, delete, restore"), "act")
    return answer(_told(done))


@blueprint.post("/<name:entity>:undo")
def undo(workspace: str, entity: str) -> Response:
    no_arguments()
    view: EntityView = g.edition.entity(entity)
    body = json_object()
    change = body.get("change")
    if body.keys() != {"change"} or type(change) is not int or not 0 < change <= LARGEST_ID:
        raise Malformed(_('Send {"change": …}: the “undo” that the act was answered with'), "change")
    g.actor.require(view.name, "read")
    return answer(_told(undo_change(g.records, view.name, change)))


def _selection(body: Mapping[str, Any]) -> Selection:
    ids = body.get("ids")
    if ("ids" in body) == ("filter" in body or "q" in body):
        raise Malformed(_("Give “ids”, or a “filter” or “q”; an empty filter {} finds all"), "ids")
    if ids is not None and not all(type(one) is int and 0 < one <= LARGEST_ID for one in ids):
        raise Malformed(_("“ids” are whole numbers"), "ids")
    return Selection(ids=ids, rule=body.get("filter") or None, text=body.get("q", ""))


def _told(done: Done) -> dict[str, Any]:
    return {
        "act": done.kind,
        "changed": done.changed,
        "refused": refusals(done.refused),
        "undo": done.id,
    }
