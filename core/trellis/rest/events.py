"""The change feed over REST (see records/feed.py)."""

from __future__ import annotations

from flask import Response, g

from trellis.records.feed import Feed
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments
from trellis.rest.calls import LARGEST_ID, blueprint

PER_PAGE, MOST_PER_PAGE = 100, 500


@blueprint.get("/events")
def events(workspace: str) -> Response:
    arguments = Arguments()
    after = arguments.number("after", 0, 0, LARGEST_ID)
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    entity = arguments.text("entity")
    arguments.end()
    feed = Feed(g.session, g.workspace.namespace, g.edition, g.actor)
    items = feed.page(after, limit, [entity] if entity else [])
    return answer({"items": items, "next": str(items[-1]["id"] if items else after)})
