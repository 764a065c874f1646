"""Document circulation over REST: versions, sending for approval, taking back, voiding. Steps are decided as tasks."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response, g, request, url_for

from trellis import attachments
from trellis.crm.customers.circulation import circulating, files, keeping, routes
from trellis.crm.customers.circulation.entities import APPROVE
from trellis.errors import RecordInvalid
from trellis.files import saved_as
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.records import one_record

_ = translator("trellis")

LONGEST_WAIT = 365
"""Days in which a step is to be decided."""


@blueprint.get("/document/<id:record_id>/circulation")
def show_circulation(workspace: str, record_id: int) -> Response:
    """The versions of a document with their hashes, and the steps of its approvals."""
    no_arguments()
    files.opened(g.records, record_id)
    found = files.versions(g.session, record_id)
    steps = circulating.steps_of(g.records, record_id)
    return answer({"versions": [_version(one) for one in found], "steps": [_step(one) for one in steps]})


@blueprint.post("/document/<id:record_id>/versions")
def add_version(workspace: str, record_id: int) -> Response:
    """Keeps a file as the next version; an empty object as JSON makes it again of its template."""
    no_arguments()
    if request.mimetype != "multipart/form-data":
        json_members({})
        made = keeping.make_again(g.records, record_id)
    else:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise RecordInvalid({"file": [_("Choose a file")]})
        with TemporaryDirectory(prefix="trellis-version-") as folder:
            path = Path(folder) / "file"
            sent.save(path)
            made = keeping.bring(g.records, record_id, sent.filename, path)
    newest = files.versions(g.session, made.id)[0]
    place = url_for("rest.show_version", workspace=workspace, record_id=record_id, number=newest.row.number)
    return answer(_version(newest), 201, {"Location": place})


@blueprint.get("/document/<id:record_id>/versions/<id:number>")
def show_version(workspace: str, record_id: int, number: int) -> Response:
    no_arguments()
    found = files.file_of(g.records, record_id, number)
    sent = Response(b"".join(attachments.content(g.session, found)), content_type=attachments.UNKNOWN)
    sent.headers["Content-Disposition"] = saved_as(found.name)
    return sent


@blueprint.post("/document/<id:record_id>:send")
def send_document(workspace: str, record_id: int) -> Response:
    """Sends the present version along a route, or to people one after the other."""
    no_arguments()
    keeping.require_change(g.records, record_id)
    body = json_members({"route": int, "people": list, "action": str, "days": int})
    circulating.send(g.records, record_id, _planned(body))
    return one_record("document", g.records.get("document", record_id))


@blueprint.post("/document/<id:record_id>:take-back")
def take_back_document(workspace: str, record_id: int) -> Response:
    """Makes a document that is in approval, or was decided on, a draft again."""
    no_arguments()
    circulating.take_back(g.records, record_id)
    return one_record("document", g.records.get("document", record_id))


@blueprint.post("/document/<id:record_id>:void")
def void_document(workspace: str, record_id: int) -> Response:
    """Says that a document holds no more."""
    no_arguments()
    keeping.require_change(g.records, record_id)
    circulating.make_void(g.records, record_id, json_members({"reason": str}).get("reason", ""))
    return one_record("document", g.records.get("document", record_id))


def _planned(body: dict[str, Any]) -> list[routes.Planned]:
    people, days = body.get("people", []), body.get("days")
    if not all(type(one) is int and 0 < one <= LARGEST_ID for one in people):
        raise RecordInvalid({"people": [_("A list of the ids of users")]})
    if days is not None and not 1 <= days <= LONGEST_WAIT:
        raise RecordInvalid(
            {"days": [_("A whole number from %(low)s to %(high)s", low=1, high=LONGEST_WAIT)]}
        )
    if "route" not in body:
        return routes.of_people(g.records, people, body.get("action", APPROVE), days)
    if people:
        raise RecordInvalid({"people": [_("Name a route or people, not both")]})
    if not 0 < body["route"] <= LARGEST_ID:
        raise RecordInvalid({"route": [_("There is no such route")]})
    return routes.of_route(g.records, body["route"])


def _version(one: files.Version) -> dict[str, Any]:
    return {
        "number": one.row.number,
        "name": one.file.name if one.file is not None else None,
        "file": one.row.attachment_id,
        "sha256": one.row.sha256,
        "matches": files.matches(g.session, one),
        "made_at": one.row.made_at,
        "made_by": one.row.made_by_id,
    }


def _step(one: Any) -> dict[str, Any]:
    return {
        "round": one.round,
        "turn": one.turn,
        "name": one.name,
        "action": one.action,
        "assigned": one.assigned,
        "state": one.state,
        "decided_by": one.by_id,
        "decided_by_name": one.by_name or None,
        "decided_at": one.at,
        "reason": one.reason or None,
        "sha256": one.sha256 or None,
    }
