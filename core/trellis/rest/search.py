"""Search over all entities at once."""

from __future__ import annotations

from flask import Response, g

from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments
from trellis.rest.calls import blueprint
from trellis.search.everywhere import search

OF_EACH, MOST_OF_EACH = 5, 50


@blueprint.get("/search")
def search_records(workspace: str) -> Response:
    arguments = Arguments()
    text = arguments.text("q") or ""
    entities = arguments.names("entities") or None
    each = arguments.number("limit", OF_EACH, 1, MOST_OF_EACH)
    arguments.end()
    for name in entities or ():
        g.edition.entity(name)
    found = search(g.session, g.edition, g.actor, text, each=each, entities=entities)
    items = [
        {
            "entity": one.entity,
            "more": one.more,
            "records": [{"id": hit.id, "title": hit.title} for hit in one.hits],
        }
        for one in found
    ]
    return answer({"items": items})
