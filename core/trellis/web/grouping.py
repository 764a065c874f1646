"""Grouped lists: the heads of groups with counts and sums, the first rows of each, and the menu to group by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import g
from markupsafe import Markup

from trellis.edition import EntityView
from trellis.errors import SumTooLarge
from trellis.i18n import format_money, format_number, translator
from trellis.kpi.periods import Grain, containing
from trellis.records.grouping import (
    Group,
    Grouping,
    Groups,
    first_ids,
    grouping,
    groups,
)
from trellis.records.query import ListQuery, Record
from trellis.records.totals import Total, group_totals
from trellis.web.display import Shown, shown
from trellis.web.list_page import list_context, list_rows
from trellis.web.listing import COUNT_UP_TO, UNGROUPED, Listing, query_of, shown_columns

_ = translator("trellis")

GROUPS = 40
"""Groups on a page."""
FIRST = 5
"""Rows shown of each."""


def whole_context(listing: Listing, base: str) -> dict[str, Any]:
    """Everything ``list.html`` shows. Grouped, it takes as many queries for forty groups as for one.

    In a list of more than :data:`COUNT_UP_TO` records the groups are closed to begin with, and one reads its rows when
    it is opened; there only those sums are made that were asked for.
    """
    query = query_of(listing)
    context = list_context(listing, base, query)
    if not listing.setup.group:
        return context
    by, large = grouping(listing.setup.group, query.view), context["about"]
    offset = (
        int(listing.cursor)
        if listing.cursor and listing.cursor.isdecimal() and len(listing.cursor) < 10
        else 0
    )
    found = groups(g.session, query, by, GROUPS, offset)
    names = shown_columns(listing)
    summed = _summed(listing, names, large=large)
    keys = [one.key for one in found.items]
    sums = _sums(query, by, keys, summed) if summed else {}
    rows = {} if large else _rows(listing, base, query, by, keys)
    heads = [
        _group(listing, base, by, one, number, rows.get(one.key), sums.get(one.key, ()), names)
        for number, one in enumerate(found.items)
    ]
    return {**context, "groups": heads, "foot": _foot(listing, base, found, offset, context)}


def rows_context(listing: Listing, base: str) -> dict[str, Any]:
    """What ``list_group.html`` shows of one group, the filter of which the listing has: two queries."""
    query = query_of(listing, limit=FIRST)
    found = query.page(g.session)
    total = query.count(g.session, COUNT_UP_TO + 1)
    count = f"{format_number(COUNT_UP_TO)}+" if total > COUNT_UP_TO else format_number(total)
    return {
        "rows": list_rows(listing, base).html(found.items),
        "all": _all(listing.url(base), count) if found.next else None,
    }


def _rows(
    listing: Listing, base: str, query: ListQuery, by: Grouping, keys: Sequence[Any]
) -> dict[Any, list[Markup]]:
    ids = first_ids(g.session, query, by, keys, FIRST)
    wanted = [record_id for found in ids.values() for record_id in found]
    page = query_of(listing, limit=len(wanted), only=wanted).page(g.session)
    known = {record.id: record for record in page.items}
    rows = list_rows(listing, base)
    return {key: [rows.row(known[one]) for one in found] for key, found in ids.items()}


def _sums(
    query: ListQuery, by: Grouping, keys: Sequence[Any], names: Sequence[str]
) -> Mapping[Any, Sequence[Total]]:
    """The sums of the groups; none where they are too large, which the foot of the list says."""
    try:
        return group_totals(g.session, query, by, keys, names, g.edition.settings.currency)
    except SumTooLarge:
        return {}


def _summed(listing: Listing, names: Sequence[str], *, large: bool) -> list[str]:
    """The columns whose sums stand in the heads: those of the totals row, or that of the amount alone."""
    fields = listing.view.fields
    additive = [name for name in names if name in fields and fields[name].type.adds_up]
    if listing.setup.totals:
        return additive
    return [] if large else [name for name in additive if name == listing.view.info.amount_field]


def _group(
    listing: Listing,
    base: str,
    by: Grouping,
    group: Group,
    number: int,
    rows: list[Markup] | None,
    sums: Sequence[Total],
    names: Sequence[str],
) -> dict[str, Any]:
    rule = narrowed(listing, by.rule(group.key))
    url = listing.url(base, filter=rule, group=UNGROUPED if listing.begun.group else "")
    return {
        "id": f"group-{number}",
        "label": label_of(base, by, group),
        "count": format_number(group.count),
        "sums": [_sum(name, sums) for name in names],
        "rows": None if rows is None else Markup("\n").join(rows),
        "rows_url": url.replace(f"/{listing.view.name}?", f"/{listing.view.name}/group?", 1),
        "all": _all(url, format_number(group.count))
        if rows is not None and group.count > len(rows)
        else None,
    }


def _all(url: str, count: str) -> dict[str, str]:
    return {"url": url, "text": str(_("All %(count)s", count=count))}


def narrowed(listing: Listing, part: Mapping[str, Any]) -> str:
    """The list's filter with that of a group, flat, so that each part has its chip."""
    rule = listing.rule
    parts = [] if not rule else list(rule["all"]) if set(rule) == {"all"} else [rule]
    return json.dumps({"all": [*parts, part]}, ensure_ascii=False)


def _sum(name: str, sums: Sequence[Total]) -> str:
    usual = g.edition.settings.currency
    here = sorted(
        (one for one in sums if one.field == name), key=lambda one: (one.currency != usual, one.currency)
    )
    if any(one.currency not in ("", usual) for one in here):
        return " + ".join(format_money(one.sum, one.currency) for one in here)
    return " ".join(format_number(one.sum, 2 if one.currency else None) for one in here)


def label_of(base: str, by: Grouping, group: Group) -> Shown:
    """What a group is called, as a value that templates show."""
    if group.key is None:
        return {"kind": "text", "text": str(_("No value"))}
    if by.unit is not None:
        return {"kind": "text", "text": containing(group.key, Grain(by.unit.value)).title}
    stage = _stage(by.view, by.field.name, group.key)
    if stage is not None:
        return stage
    record = Record(by.view.name, 0, 0, {by.field.name: group.key}, {by.field.name: group.title})
    return {**shown(g.edition, base, by.field, record), "url": ""}


def _stage(view: EntityView, name: str, value: Any) -> Shown | None:
    """A stage, of whichever lifecycle has it first."""
    for lifecycle in view.lifecycles:
        for stage in lifecycle.stages if lifecycle.field == name else ():
            if stage.value == value:
                tone = stage.tone if stage.tone != "neutral" or stage.kind != "open" else "info"
                return {"kind": "badge", "text": str(stage.title), "tone": tone}
    return None


def _foot(
    listing: Listing, base: str, found: Groups, offset: int, context: Mapping[str, Any]
) -> dict[str, Any]:
    last = offset + len(found.items)
    place = {
        "first": format_number(offset + 1),
        "last": format_number(last),
        "total": format_number(found.total),
    }
    return {
        "text": str(_("Groups %(first)s–%(last)s of %(total)s", **place)) if found.items else "",
        "sums": [{"label": str(_("records")), "value": context["total"]}, *context["foot"]["sums"]],
        "prev_url": listing.url(base, c=list(listing.cursors[:-1])) if listing.cursors else "",
        "next_url": listing.url(base, c=[*listing.cursors, str(last)]) if last < found.total else "",
        "per_page": "",
    }
