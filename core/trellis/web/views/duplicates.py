"""Duplicates: a notice while a record is typed, and the groups of a whole list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, render_template, request

from trellis.i18n import plural_translator, translator
from trellis.quality.duplicates import Group, comparable, find, groups
from trellis.web.display import title_of
from trellis.web.listing import may_merge
from trellis.web.shell import entity_page, shell
from trellis.web.views.lists import base, view_of

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("duplicates", __name__)

SHOWN = 5


@blueprint.post("/<workspace>/<entity>/alike")
def alike(workspace: str, entity: str) -> str:
    """What may be here already of that which stands in the form."""
    view = view_of(entity)
    values = {name: value for name in view.fields if (value := request.form.get(name, "").strip())}
    found = find(g.session, g.edition, g.actor, entity, values)[:SHOWN]
    rows = [
        {
            "title": title_of(view, one.record),
            "url": f"{base()}/{entity}/{one.record.id}",
            "reasons": ", ".join(str(reason) for reason in one.reasons),
        }
        for one in found
    ]
    return render_template("alike.html", alike=rows, shell=shell())


@blueprint.get("/<workspace>/<entity>/duplicates")
def show(workspace: str, entity: str) -> str:
    view = view_of(entity)
    if not comparable(view):
        abort(404)
    found = [_row(entity, one, may_merge(view)) for one in groups(g.session, g.edition, g.actor, entity)]
    context = {"list_url": f"{base()}/{entity}", "groups": found}
    return entity_page("duplicates.html", view, title=_("Duplicates"), inside=True, duplicates=context)


def _row(entity: str, group: Group, may: bool) -> dict[str, Any]:
    view = view_of(entity)
    ids = [str(one.id) for one in group.records[:2]]
    more = group.count - len(group.records)
    sub = view.info.subtitle_field or ""
    return {
        "reason": str(group.reason),
        "key": group.key,
        "rows": [
            {
                "id": one.id,
                "title": title_of(view, one),
                "sub": one.titles.get(sub) or str(one.values.get(sub) or ""),
                "url": f"{base()}/{entity}/{one.id}",
            }
            for one in group.records
        ],
        "more": str(_n("and %(num)s more", "and %(num)s more", more)) if more > 0 else "",
        "merge_url": f"{base()}/{entity}/merge?ids={','.join(ids)}" if may else "",
    }
