"""Processes that the organisation draws, over REST: drafts made, changed, checked and published; versions and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Response, g

from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.process import moving, versions
from trellis.process.moving import Moving
from trellis.process.own import Draft, OwnProcess, OwnProcesses, problems_of, rows_of
from trellis.process.picture import blank
from trellis.process.pools import pools
from trellis.process.runs import process_of
from trellis.process.tables import ProcessVersion
from trellis.rest.answers import answer
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.problems import named_problems
from trellis.rest.processes import is_there

_ = translator("trellis")

XML = "application/xml; charset=utf-8"
_version = ProcessVersion.__table__.c


@blueprint.get("/processes/drafts")
def list_process_drafts(workspace: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    return answer({"items": [_told(row) for row in rows_of(g.session)]})


@blueprint.post("/processes/drafts")
def create_process_draft(workspace: str) -> Response:
    """A draft: what is said of a process, and its BPMN 2.0 file as text; without one it begins with one step."""
    no_arguments()
    drafts = _drafts()
    said, diagram = _body()
    pool = said.pop("pool", None)
    if pool is not None:
        diagram = _taken_out(diagram or blank(), pool)
    return answer(_told(drafts.create(Draft.from_json(said), diagram or blank())), 201)


@blueprint.get("/processes/drafts/<name:process>")
def show_process_draft(workspace: str, process: str) -> Response:
    no_arguments()
    row = _drafts().get(process)
    return answer({**_told(row), "diagram": row.diagram.decode("utf-8", "replace")})


@blueprint.patch("/processes/drafts/<name:process>")
def change_process_draft(workspace: str, process: str) -> Response:
    no_arguments()
    drafts = _drafts()
    said, diagram = _body()
    row = drafts.get(process)
    saved = drafts.save(process, Draft.from_json({**row.draft, **said}), diagram or row.diagram)
    return answer(_told(saved))


@blueprint.delete("/processes/drafts/<name:process>")
def remove_process_draft(workspace: str, process: str) -> Response:
    no_arguments()
    _drafts().remove(process)
    return Response(status=204)


@blueprint.post("/processes/drafts/<name:process>:check")
def check_process_draft(workspace: str, process: str) -> Response:
    no_arguments()
    row = _drafts().get(process)
    found = problems_of(g.edition, process, Draft.from_json(row.draft), row.diagram)
    return answer({"problems": named_problems(found)})


@blueprint.post("/processes/drafts/<name:process>:publish")
def publish_process_draft(workspace: str, process: str) -> Response:
    no_arguments()
    return answer(_told(_drafts().publish(process)))


@blueprint.post("/processes/<name:process>:copy")
def copy_process(workspace: str, process: str) -> Response:
    """A draft that begins as a process of the edition and, once published, takes its place."""
    no_arguments()
    return answer(_told(_drafts().copy(process)), 201)


@blueprint.get("/processes/<name:process>/diagram")
def show_process_diagram(workspace: str, process: str) -> Response:
    """The BPMN 2.0 file with which runs begin now."""
    no_arguments()
    found = process_of(g.edition, process)
    if not is_there(found):
        raise RecordNotFound()
    return Response(versions.content(found), content_type=XML)


@blueprint.get("/processes/<name:process>/versions")
def list_process_versions(workspace: str, process: str) -> Response:
    """The versions of a process, the newest first, with how many instances go on with each."""
    no_arguments()
    g.actor.require_administrator()
    digest = versions.present(g.edition, process_of(g.edition, process)).digest
    running = moving.counts(g.session, process)
    rows = g.session.execute(
        sa.select(_version.number, _version.source, _version.created_at, _version.digest)
        .where(_version.process == process)
        .order_by(_version.number.desc())
    )
    items = [
        {
            "number": row.number,
            "source": row.source,
            "created_at": row.created_at,
            "current": row.digest == digest,
            "running": running.get(row.number, 0),
        }
        for row in rows
    ]
    return answer({"items": items})


@blueprint.post("/processes/<name:process>:move")
def move_instances(workspace: str, process: str) -> Response:
    """Moves instances on older versions to the newest, some hundred in one call; which stay, and why."""
    no_arguments()
    found = process_of(g.edition, process)
    moves = Moving(g.records)
    number = moves.move_all(found)
    left = [
        {"id": one.instance, "version": one.number, "reasons": [str(text) for text in one.obstacles]}
        for one in moves.standing(found)
    ]
    return answer({"moved": number, "left": left})


@blueprint.post("/processes/instances/<id:number>:move")
def move_instance(workspace: str, number: int) -> Response:
    no_arguments()
    Moving(g.records).move(number)
    return answer({"id": number, "moved": True})


def _drafts() -> OwnProcesses:
    return OwnProcesses(g.session, g.edition, g.actor)


def _body() -> tuple[dict[str, Any], bytes | None]:
    """What is said of a process, and its file where one is sent."""
    said = json_object()
    diagram = said.pop("diagram", None)
    if diagram is None:
        return said, None
    if not isinstance(diagram, str):
        raise RecordInvalid({"diagram": [_("Give the BPMN 2.0 file as a text")]})
    return said, diagram.encode()


def _taken_out(diagram: bytes, pool: Any) -> bytes:
    """One process of a file that holds several. Raises RecordInvalid that names those there are."""
    found = pools(diagram)
    known = {one.process: one.text for one in found}
    if not isinstance(pool, str) or pool not in known:
        text = _("The processes in this file are: %(known)s", known=", ".join(known))
        raise RecordInvalid({"pool": [text]})
    return known[pool]


def _told(row: OwnProcess) -> Mapping[str, Any]:
    state = "draft" if row.published_at is None else "changed" if row.changed else "published"
    return {
        "name": row.name,
        **row.draft,
        "state": state,
        "version": row.version,
        "published_at": row.published_at,
        "changed_at": row.changed_at,
    }
