"""The page of all that a search finds, of each kind some and a way to the others."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, request

from trellis.i18n import translator
from trellis.search.asked import LONGEST_TEXT
from trellis.search.everywhere import Found
from trellis.web.searching import find, second_lines, shown
from trellis.web.shell import page
from trellis.web.views.lists import base

_ = translator("trellis")

blueprint = Blueprint("search", __name__)

OF_EACH_ENTITY = 8


@blueprint.get("/<workspace>/search")
def show(workspace: str) -> str:
    query = request.args.get("q", "").strip()[:LONGEST_TEXT]
    used, found = find(query, each=OF_EACH_ENTITY)
    groups = [_group(one, used) for one in found]
    results = {"query": query, "used": used if used != query else "", "groups": groups}
    return page("search.html", title=_("Search"), icon="search", search=results)


def _group(found: Found, used: str) -> dict[str, Any]:
    info, about = g.edition.entity(found.entity).info, second_lines(found, base())
    return {
        "title": str(info.plural),
        "icon": info.icon,
        "items": [
            {**item, "about": about.get(hit.id, "")}
            for hit, item in zip(found.hits, shown(found, base()), strict=True)
        ],
        "all_url": f"{base()}/{found.entity}?{urlencode({'q': used})}" if found.more else "",
    }
