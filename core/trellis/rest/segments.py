"""Segments over REST: their sizes, members page by page, history, profile and overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, g

from trellis.contributions import Segment
from trellis.crm.analytics.profile import profile
from trellis.errors import PermissionRefused
from trellis.records.query import ListQuery
from trellis.rest.answers import answer, writer
from trellis.rest.arguments import Arguments, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.figures import freshened
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE
from trellis.segments import engine
from trellis.segments.history import history, latest
from trellis.segments.overlap import overlap

DAYS_BACK = 90
MOVES = 100
"""Of those who entered and left, so many of the last."""


@blueprint.get("/segments")
def segments(workspace: str) -> Response:
    no_arguments()
    freshened()
    return answer([size.to_json() for size in engine.sizes(g.session, g.edition, g.actor)])


@blueprint.get("/segments/<name:segment>")
def one_segment(workspace: str, segment: str) -> Response:
    no_arguments()
    found = engine.find(g.edition, segment)
    freshened()
    sizes = engine.sizes(g.session, g.edition, g.actor, [found.name])
    if not sizes:
        raise PermissionRefused()
    rule = {"rule": found.rule} if found.rule is not None else {}
    return answer({**sizes[0].to_json(), "listed": found.listed, **rule})


@blueprint.get("/segments/<name:segment>/history")
def segment_history(workspace: str, segment: str) -> Response:
    arguments = Arguments()
    since = arguments.day("since")
    arguments.end()
    found = _counted(segment)
    first = since or datetime.now(UTC).date() - timedelta(days=DAYS_BACK)
    days = history(g.session, g.edition, g.actor, found.name, first)
    moves = latest(g.session, g.edition, g.actor, found.name, MOVES)
    return answer(
        {
            "segment": found.name,
            "since": first.isoformat(),
            "days": [one.to_json() for one in days],
            "moves": [one.to_json() for one in moves],
        }
    )


@blueprint.get("/segments/<name:segment>/profile")
def segment_profile(workspace: str, segment: str) -> Response:
    arguments = Arguments()
    field = arguments.text("field")
    arguments.end()
    found = _counted(segment)
    return answer(profile(g.session, g.edition, g.actor, found.name, field or "").to_json())


@blueprint.get("/segments/<name:segment>/overlap")
def segment_overlap(workspace: str, segment: str) -> Response:
    arguments = Arguments()
    others = arguments.names("with")
    arguments.end()
    found = _counted(segment)
    return answer(overlap(g.session, g.edition, g.actor, [found.name, *others]).to_json())


@blueprint.get("/segments/<name:segment>/members")
def members(workspace: str, segment: str) -> Response:
    arguments = Arguments()
    fields = arguments.names("fields") or None
    sort = arguments.names("sort")
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    cursor = arguments.text("cursor")
    counted = arguments.flag("count")
    arguments.end()
    found = _counted(segment)
    view = g.edition.entity(found.entity)
    query = ListQuery(
        view,
        g.edition,
        g.actor,
        fields=fields,
        sort=sort,
        limit=limit,
        cursor=cursor,
        ids=engine.members(g.edition, g.actor, segment),
    )
    page = query.page(g.session)
    write = writer(g.edition, view)
    data: dict[str, Any] = {"items": [write(record) for record in page.items], "next": page.next}
    if counted:
        data["total"] = g.session.scalar(query.count_statement()) or 0
    return answer(data)


@blueprint.get("/<name:entity>/<id:record_id>/segments")
def segments_of_record(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    freshened()
    g.records.get(entity, record_id)
    found = engine.memberships(g.session, g.edition, g.actor, entity, record_id)
    return answer([one.to_json() for one in found])


def _counted(name: str) -> Segment:
    """A segment that the caller may know of, counted anew where that is due."""
    found = engine.find(g.edition, name)
    g.actor.require(found.entity, "read")
    freshened()
    return found
