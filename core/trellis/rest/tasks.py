"""The caller's tasks: what waits, and ticking it off."""

from __future__ import annotations

from flask import Response, g, request

from trellis.crm.service import tasks
from trellis.records.query import ListQuery
from trellis.rest.answers import answer, etag, writer
from trellis.rest.arguments import Arguments, json_object, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE


@blueprint.get("/tasks")
def list_tasks(workspace: str) -> Response:
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    cursor = arguments.text("cursor")
    arguments.end()
    g.actor.require("activity", "read")
    view = g.edition.entity("activity")
    query = ListQuery(view, g.edition, g.actor, rule=tasks.OPEN, sort=["due_at"], limit=limit, cursor=cursor)
    page = query.page(g.session)
    write = writer(g.edition, view)
    return answer({"items": [write(record) for record in page.items], "next": page.next})


@blueprint.post("/tasks/<id:record_id>:complete")
def complete_task(workspace: str, record_id: int) -> Response:
    no_arguments()
    record = tasks.complete(g.records, record_id, json_object() if request.get_data() else {})
    return answer(writer(g.edition, g.edition.entity("activity"))(record), headers=etag(record))
