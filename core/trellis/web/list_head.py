"""The head of a list as HTML: menus, saved views, heads of columns, acts.

It is written once for each way in which a list is set up, with gaps for the filter, the words looked for and the number of
records, and kept with the edition of the reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlencode

from flask import g
from markupsafe import Markup

from trellis.edition import EntityView
from trellis.i18n import Text, translator
from trellis.quality.duplicates import comparable
from trellis.quality.merging import mergeable
from trellis.records import types
from trellis.records.grouping import grouping, known_grouping, may_group
from trellis.records.rules.nodes import Unit
from trellis.settings.views import may_change
from trellis.web.display import column
from trellis.web.list_bar import entity_of, shapes, tabs, view_of
from trellis.web.listing import UNGROUPED, Listing, shown_columns
from trellis.web.patterns import Pattern, kept, rendered

_ = translator("trellis")

_PARTS = ("acts", "top", "heads", "bulk")
_GAPS = ("filter", "query", "total")
UNITS: Mapping[Unit, Text] = {
    Unit.DAY: _("Days"),
    Unit.WEEK: _("Weeks"),
    Unit.MONTH: _("Months"),
    Unit.QUARTER: _("Quarters"),
    Unit.YEAR: _("Years"),
}


def head(listing: Listing, base: str, total: str, *, more: bool) -> dict[str, Markup]:
    """The parts of ``list/``. ``total`` is the number of records as text; ``more``: they are more than are shown."""
    written = kept(_key(listing, more), lambda: _written(listing, base, more=more))
    values = {"filter": quote_plus(listing.filter), "query": quote_plus(listing.query), "total": total}
    return {name: pattern.fill(values) for name, pattern in written.items()}


def _key(listing: Listing, more: bool) -> tuple[Any, ...]:
    """All that the parts depend on beside the edition, the language and what fills the gaps."""
    views = tuple(
        (one.saved.id, one.saved.title, one.first, one.saved.user_id is None, may_change(g.actor, one.saved))
        for one in listing.views
    )
    setups = replace(listing.setup, rule=None), replace(listing.begun, rule=None)
    asked = bool(listing.filter), bool(listing.query), listing.changed
    chosen = None if listing.saved is None else listing.saved.id
    state = (listing.view.name, setups, asked, views, chosen, listing.mine, listing.trash, more)
    return ("list head", g.actor.rights, state)


def _written(listing: Listing, base: str, *, more: bool) -> dict[str, Pattern]:
    def part(name: str) -> Pattern:
        def write(gaps: Mapping[str, str]) -> str:
            marked = replace(
                listing,
                marked=gaps["filter"] if listing.filter else "",
                query=gaps["query"] if listing.query else "",
            )
            context = _context(marked, base, gaps["total"], more=more)
            return rendered(f"list/{name}.html", list=context)

        return Pattern(_GAPS, write)

    return {name: part(name) for name in _PARTS}


def _context(listing: Listing, base: str, total: str, *, more: bool) -> dict[str, Any]:
    """What the templates in ``list/`` show."""
    view, setup = listing.view, listing.setup
    names = shown_columns(listing)
    may_create = view.info.by_hand and g.actor.may(view.name, "create")
    here = f"{base}/{view.name}"
    asked = urlencode(listing.arguments())
    return {
        "entity": entity_of(view),
        "total": total,
        "may_create": may_create and not listing.trash,
        "new_url": f"{here}/new",
        "duplicates_url": f"{here}/duplicates" if comparable(view) and may_merge(view) else "",
        "import_url": f"{here}/import" if may_create else "",
        "export_url": f"{here}/export?{asked}",
        "report_url": f"{here}/report?{asked}" if g.actor.may("report", "create") else "",
        "shapes": shapes(listing, base),
        "views": tabs(listing, base, total),
        "view": view_of(listing, base),
        "new_view_url": f"{here}/views/new?{asked}",
        "sort": _sort(listing, base),
        "grouping": _grouping(listing, base),
        "columns_shown": len(names) + 1,
        "columns_all": len(view.fields),
        "columns_url": f"{here}/columns?{asked}",
        "dense": setup.dense,
        "dense_url": listing.url(base, dense="0" if setup.dense else "1", c=()),
        "totals": setup.totals,
        "totals_url": listing.url(base, totals="0" if setup.totals else "1", c=()),
        "columns": _columns(listing, base, names),
        "bulk": bulk_acts(view, base, trash=listing.trash),
        "select_all": str(select_all(total)) if more else "",
        "selected_all": str(selected_all(total)),
    }


def select_all(total: str) -> Text:
    """The words that tick all records of a list."""
    return _("Select all %(count)s", count=total)


def selected_all(total: str) -> Text:
    """What is said when all are ticked."""
    return _("All %(count)s selected", count=total)


def _sort(listing: Listing, base: str) -> dict[str, Any]:
    current = (
        listing.setup.sort or ((listing.view.info.sort,) if listing.view.info.sort else ("-created_at",))
    )[0]
    name, down = current.removeprefix("-"), current.startswith("-")
    options = []
    for field in listing.view.fields.values():
        if field.type.kind == "json" or isinstance(field.type, types.LongText):
            continue
        chosen = field.name == name
        target = f"-{field.name}" if chosen and not down else field.name
        url = listing.url(base, sort=target)
        options.append({"title": str(field.label), "url": url, "current": chosen, "up": not down})
    label = str(listing.view.fields[name].label) if name in listing.view.fields else name
    return {"label": label, "options": options}


def _columns(listing: Listing, base: str, names: Sequence[str]) -> list[dict[str, Any]]:
    view = listing.view
    current = (listing.setup.sort or (view.info.sort,))[0]
    heads: list[dict[str, Any]] = []
    for name in (view.info.title_field, *names):
        field = view.fields.get(name)
        if field is None:  # an entity whose records have no name of their own
            bare = {"align": "start", "css": "", "sorted": "", "sort_url": ""}
            heads.append({"name": name, "label": str(view.info.title), **bare})
            continue
        direction = "descending" if current == f"-{name}" else "ascending" if current == name else ""
        target = name if direction != "ascending" else f"-{name}"
        sortable = field.type.kind != "json" and not isinstance(field.type, types.LongText)
        sort_url = listing.url(base, sort=target) if sortable else ""
        heads.append({**column(g.edition, view, field), "sorted": direction, "sort_url": sort_url})
    return heads


def _grouping(listing: Listing, base: str) -> dict[str, Any]:
    """What the list can be grouped by; for days also by which unit of the calendar."""
    chosen = known_grouping(listing.setup.group, listing.view)
    none = UNGROUPED if listing.begun.group else ""
    options = [
        {
            "title": str(field.label),
            "url": listing.url(base, group=grouping(field.name, listing.view).name),
            "current": chosen is not None and chosen.field.name == field.name,
        }
        for field in listing.view.fields.values()
        if may_group(field)
    ]
    units = [
        {
            "title": str(title),
            "url": listing.url(base, group=f"{chosen.field.name}:{unit}"),
            "current": unit is chosen.unit,
        }
        for unit, title in UNITS.items()
        if chosen is not None and chosen.unit is not None
    ]
    none_url = listing.url(base, group=none) if chosen is not None else ""
    return {
        "label": str(chosen.field.label) if chosen else "",
        "options": options,
        "units": units,
        "none_url": none_url,
    }


def may_merge(view: EntityView) -> bool:
    """Whether the reader may merge records of this entity, in so far as they reach them."""
    return mergeable(view) and g.actor.may(view.name, "update") and g.actor.may(view.name, "delete")


def bulk_acts(view: EntityView, base: str, *, trash: bool) -> list[dict[str, Any]]:
    """What the reader may do with ticked rows; without any there is nothing to tick."""
    acts: list[tuple[Text, str, str]] = []
    if trash and g.actor.may(view.name, "delete"):
        acts = [(_("Restore"), "undo-2", "restore")]
    elif not trash and not view.info.kept:
        if g.actor.may(view.name, "update"):
            acts = [(_("Edit"), "pencil", "edit"), (_("Owner"), "user-check", "edit?field=owner")]
        if g.actor.may(view.name, "delete"):
            acts.append((_("Move to bin"), "trash", "delete"))
        if may_merge(view):
            acts.insert(-1, (_("Merge"), "merge", "merge"))
        if g.actor.administrator and view.name != "user":
            acts.insert(0, (_("Add to a list"), "list-plus", "segment"))
    return [
        {"title": str(title), "icon": icon, "url": f"{base}/{view.name}/bulk/{path}"}
        for title, icon, path in acts
    ]
