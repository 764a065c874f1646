"""Duplicates: a notice while a record is typed, and the groups of a whole list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.i18n import plural_translator, translator
from trellis.quality import distinct
from trellis.quality.duplicates import MOST_IN_GROUP, SAME_NAME, Group, comparable, find, groups
from trellis.records.query import ListQuery
from trellis.web.display import second_line, title_of
from trellis.web.list_head import may_merge
from trellis.web.shell import entity_page, shell, toast
from trellis.web.views.lists import base, go, view_of, whole_numbers

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("duplicates", __name__)

SHOWN = 5
LATEST = 50


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
    context = {
        "list_url": f"{base()}/{entity}",
        "groups": found,
        "distinct_url": f"{base()}/{entity}/distinct" if g.actor.may(entity, "update") else "",
        "apart": _told_apart(view),
    }
    return entity_page("duplicates.html", view, title=_("Duplicates"), inside=True, duplicates=context)


@blueprint.post("/<workspace>/<entity>/distinct")
def tell_apart(workspace: str, entity: str) -> BaseResponse:
    """Keeps that the records of a group are not one; or (``back=1``) forgets it."""
    view_of(entity)
    ids = whole_numbers(request.values.get("ids", ""))[:MOST_IN_GROUP]
    if "back" in request.values:
        distinct.take_back(g.records, entity, ids)
        toast(_("They count as possible duplicates again"))
    else:
        distinct.tell_apart(g.records, entity, ids)
        undo = f"{base()}/{entity}/distinct?back=1&ids={','.join(map(str, ids))}"
        toast(_("Kept: these are not duplicates"), undo)
    return go(f"{base()}/{entity}/duplicates")


def _told_apart(view: EntityView) -> list[dict[str, Any]]:
    """The pairs that were told apart last, as far as the reader may see both."""
    pairs = distinct.latest(g.session, view.name, LATEST)
    ids = list({one for pair in pairs for one in pair})
    fields = [view.info.title_field]
    page = ListQuery(view, g.edition, g.actor, ids=ids, fields=fields, limit=len(ids)).page(g.session)
    known = {one.id: title_of(view, one) for one in page.items}
    return [
        {
            "ids": f"{low},{high}",
            "rows": [
                {"id": one, "title": known[one], "url": f"{base()}/{view.name}/{one}"} for one in (low, high)
            ],
        }
        for low, high in pairs
        if low in known and high in known
    ]


def _row(entity: str, group: Group, may: bool) -> dict[str, Any]:
    view = view_of(entity)
    ids = ",".join(str(one.id) for one in group.records)
    more = group.count - len(group.records)
    reason = str(group.reason)
    return {
        "reason": reason[:1].upper() + reason[1:],
        "key": "" if group.reason is SAME_NAME else group.key,  # the records show their name
        "rows": [
            {
                "id": one.id,
                "title": title_of(view, one),
                "sub": second_line(g.edition, base(), view, one),
                "url": f"{base()}/{entity}/{one.id}",
            }
            for one in group.records
        ],
        "more": str(_n("and %(num)s more", "and %(num)s more", more)) if more > 0 else "",
        "ids": ids,
        "merge_url": f"{base()}/{entity}/merge?ids={ids}" if may else "",
    }
