"""Segments of the organisation's own over REST: making, changing, copying and removing them; the members of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import Malformed
from trellis.segments import engine, lists, own
from trellis.segments.lists import MOST_KEYS, Chosen
from trellis.segments.own import Draft

_ = translator("trellis")

_CHANGE: Mapping[str, type] = {"title": str, "description": str, "tone": str, "rule": dict}
_NEW: Mapping[str, type] = {**_CHANGE, "entity": str, "listed": bool}


@blueprint.post("/segments")
def create_segment(workspace: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    body = json_members(_NEW)
    listed = body.pop("listed", False)
    if listed and "rule" in body:
        raise RecordInvalid({"rule": [_("This is a list of chosen members and has no rule")]})
    if not listed and "rule" not in body:
        raise RecordInvalid({"rule": [_("Give the segment a rule")]})
    made = own.create(g.session, g.edition, g.actor, Draft(**{"title": "", **body}))
    return _told(made, own.with_segment(g.edition, made), 201)


@blueprint.patch("/segments/<name:segment>")
def change_segment(workspace: str, segment: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    body = json_members(_CHANGE)
    own.own_row(g.session, g.edition, segment)
    kept = vars(Draft.of(engine.find(g.edition, segment)))
    changed = own.change(g.session, g.edition, g.actor, segment, Draft(**{**kept, **body}))
    return _told(changed, own.with_segment(g.edition, changed))


@blueprint.delete("/segments/<name:segment>")
def remove_segment(workspace: str, segment: str) -> Response:
    no_arguments()
    own.remove(g.session, g.edition, g.actor, segment)
    return Response(status=204)


@blueprint.post("/segments/<name:segment>:copy")
def copy_segment(workspace: str, segment: str) -> Response:
    no_arguments()
    made = own.copy(g.session, g.edition, g.actor, segment)
    return _told(made, own.with_segment(g.edition, made), 201)


@blueprint.post("/segments/<name:segment>/members:add")
def add_members(workspace: str, segment: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    body = json_members({"ids": list, "field": str, "values": list})
    if ("ids" in body) is ("values" in body) or ("field" in body) is not ("values" in body):
        raise Malformed(_("Give “ids”, or “values” with the “field” that they are of"), "ids")
    if "ids" in body:
        number = lists.add(g.session, g.edition, g.actor, segment, Chosen(ids=_ids(body)))
        return answer({"added": number, "missing": []})
    if not all(isinstance(one, str) for one in body["values"]):
        raise Malformed(_("“values” are texts"), "values")
    done = lists.add_by_key(g.session, g.edition, g.actor, segment, body["field"], body["values"])
    return answer({"added": done.number, "missing": list(done.missing)})


@blueprint.post("/segments/<name:segment>/members:remove")
def remove_members(workspace: str, segment: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    body = json_members({"ids": list})
    if "ids" not in body:
        raise Malformed(_("“ids” are whole numbers"), "ids")
    return answer({"removed": lists.take_out(g.session, g.edition, g.actor, segment, _ids(body))})


def _ids(body: Mapping[str, Any]) -> list[int]:
    ids = body["ids"]
    if not all(type(one) is int and 0 < one <= LARGEST_ID for one in ids):
        raise Malformed(_("“ids” are whole numbers"), "ids")
    if len(ids) > MOST_KEYS:
        raise RecordInvalid({"ids": [_("At most %(most)s ids at once", most=MOST_KEYS)]})
    return list(ids)


def _told(segment: Segment, edition: Edition, status: int = 200) -> Response:
    (size,) = engine.sizes(g.session, edition, g.actor, [segment.name])
    rule = {"rule": segment.rule} if segment.rule is not None else {}
    return answer({**size.to_json(), "listed": segment.listed, **rule}, status)
