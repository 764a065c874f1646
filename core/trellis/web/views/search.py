"""The page of all that a search finds, of each kind some and a way to the others."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, g, request

from trellis.i18n import translator
from trellis.search.asked import LONGEST_TEXT
from trellis.web.searching import find, shown
from trellis.web.shell import page
from trellis.web.views.lists import base

_ = translator("trellis")

blueprint = Blueprint("search", __name__)

OF_EACH_ENTITY = 8


@blueprint.get("/<workspace>/search")
def show(workspace: str) -> str:
    query = request.args.get("q", "").strip()[:LONGEST_TEXT]
    used, found = find(query, each=OF_EACH_ENTITY)
    groups = [
        {
            "title": str(g.edition.entity(one.entity).info.plural),
            "icon": g.edition.entity(one.entity).info.icon,
            "items": shown(one, base()),
            "all_url": f"{base()}/{one.entity}?{urlencode({'q': used})}" if one.more else "",
        }
        for one in found
    ]
    results = {"query": query, "used": used if used != query else "", "groups": groups}
    return page("search.html", title=_("Search"), icon="search", search=results)
