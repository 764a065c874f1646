"""A list as its address describes it: filter, search, sort, columns, page. And what ``list.html`` needs of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import g
from werkzeug.datastructures import MultiDict

from trellis.contributions import Rule
from trellis.edition import EntityView
from trellis.errors import RecordNotFound, RuleInvalid
from trellis.i18n import Text, format_number, translator
from trellis.quality.duplicates import comparable
from trellis.quality.merging import mergeable
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.grouping import grouping, known_grouping
from trellis.records.query import ListQuery, Page, Record
from trellis.settings.views import UsableView, may_change, usable_views
from trellis.system import SavedView
from trellis.web.display import column, new_title, person, shown, title_of
from trellis.web.filters import chips
from trellis.web.totals import amount_sums, total_rows

_ = translator("trellis")

PER_PAGE = 50
COUNT_UP_TO = 10_000
TRAIL = 40
UNGROUPED = "-"
"""In an address: not grouped, though its view is."""


@dataclass(frozen=True)
class Setup:
    """How a list is set up: what a view keeps of it."""

    rule: Rule | None = None
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    dense: bool = False
    totals: bool = False
    group: str = ""

    def definition(self, rule: Rule | None) -> dict[str, Any]:
        """The setup as a view keeps it, with the list's whole ``rule``."""
        return {
            "rule": rule,
            "sort": list(self.sort),
            "fields": list(self.columns),
            "dense": self.dense,
            "totals": self.totals,
            "group": self.group,
        }


@dataclass(frozen=True)
class Listing:
    """The state of a list, as kept in its address: the view it began with, and what is different by now."""

    view: EntityView
    setup: Setup
    begun: Setup
    query: str
    cursors: tuple[str, ...]
    views: Sequence[UsableView]
    saved: SavedView | None
    mine: bool
    trash: bool
    shape: str = ""
    """What the records are shown as instead of a table: ``board``, ``calendar``."""
    kept: tuple[tuple[str, str], ...] = ()
    """What else stands in the address of this shape."""

    @property
    def cursor(self) -> str | None:
        """Where the page before this one ended."""
        return self.cursors[-1] if self.cursors else None

    @property
    def rule(self) -> Rule | None:
        """The rule that the reader sees and may change."""
        return self.setup.rule

    @property
    def changed(self) -> bool:
        """Whether the list is set up otherwise than its view."""
        return self.setup != self.begun

    def arguments(self, **changes: Any) -> list[tuple[str, str]]:
        """The address of this list with some parts changed; a change of what is listed goes to the first page.

        Only what differs from the view is written down.
        """
        setup, begun = self.setup, self.begun
        plain = "all" if any(one.first for one in self.views) else ""
        state: dict[str, Any] = {
            "view": "mine" if self.mine else str(self.saved.id) if self.saved else plain,
            "filter": "" if setup.rule == begun.rule else json.dumps(setup.rule, ensure_ascii=False),
            "q": self.query,
            "sort": "" if setup.sort == begun.sort else ",".join(setup.sort),
            "columns": "" if setup.columns == begun.columns else ",".join(setup.columns),
            "dense": "" if setup.dense == begun.dense else str(int(setup.dense)),
            "totals": "" if setup.totals == begun.totals else str(int(setup.totals)),
            "group": "" if setup.group == begun.group else setup.group or UNGROUPED,
            "bin": "1" if self.trash else "",
            "c": self.cursors if "c" in changes else (),
            **changes,
        }
        if state["filter"] == "null" and begun.rule is None:
            state["filter"] = ""
        pairs: list[tuple[str, str]] = []
        for name, value in state.items():
            pairs += (
                [(name, one) for one in value]
                if isinstance(value, list | tuple)
                else [(name, value)]
                if value
                else []
            )
        return pairs

    def url(self, base: str, **changes: Any) -> str:
        """The address with some parts changed."""
        pairs = [*self.arguments(**changes), *self.kept]
        return self.path(base) + (f"?{urlencode(pairs)}" if pairs else "")

    def path(self, base: str) -> str:
        """The address without what follows the question mark."""
        return f"{base}/{self.view.name}" + (f"/{self.shape}" if self.shape else "")


def read_listing(view: EntityView, arguments: MultiDict[str, str]) -> Listing:
    """The list that an address describes; without arguments, that of the reader's first view.

    Raises RuleInvalid for a filter that cannot be read.
    """
    views = usable_views(g.session, g.actor, view.name)
    chosen = arguments.get("view", "")
    saved = next(
        (one.saved for one in views if str(one.saved.id) == chosen or (one.first and not arguments)), None
    )
    begun = _setup_of(view, saved.definition) if saved else Setup()
    text = arguments.get("filter")
    try:
        rule = json.loads(text) if text else begun.rule
    except json.JSONDecodeError:
        raise RuleInvalid(_("The filter is not valid JSON")) from None
    if rule is not None and not isinstance(rule, dict):
        raise RuleInvalid(_("A rule is an object in JSON"))
    sort = tuple(name for name in arguments.get("sort", "").split(",") if name)
    columns = tuple(name for name in arguments.get("columns", "").split(",") if name in view.fields)
    dense, totals_ = (
        _switch(arguments.get(name), on) for name, on in (("dense", begun.dense), ("totals", begun.totals))
    )
    given = arguments.get("group")
    group = grouping(given, view).name if given and given != UNGROUPED else "" if given else begun.group
    return Listing(
        view=view,
        setup=Setup(rule or None, sort or begun.sort, columns or begun.columns, dense, totals_, group),
        begun=begun,
        query=arguments.get("q", "").strip(),
        cursors=tuple(arguments.getlist("c"))[-TRAIL:],
        views=views,
        saved=saved,
        mine=chosen == "mine",
        trash=arguments.get("bin") == "1",
    )


def _setup_of(view: EntityView, definition: Mapping[str, Any]) -> Setup:
    columns = tuple(name for name in definition.get("fields", ()) if name in view.fields)
    sort = tuple(definition.get("sort", ()))
    dense, sums = bool(definition.get("dense")), bool(definition.get("totals"))
    group = known_grouping(definition.get("group", ""), view)
    return Setup(definition.get("rule") or None, sort, columns, dense, sums, group.name if group else "")


def _switch(given: str | None, usual: bool) -> bool:
    return given == "1" if given else usual


def listed_at(view: EntityView, address: str) -> Listing:
    """:func:`read_listing` of an address in full, or of what follows its question mark."""
    return read_listing(view, MultiDict(parse_qsl(urlsplit(address).query, keep_blank_values=True)))


def full_rule(listing: Listing) -> Rule | None:
    """The list's rule, with that of the view “My records”."""
    mine = {"field": "owner", "op": "eq", "value": {"me": True}}
    if not listing.mine:
        return listing.rule
    return {"all": [mine, listing.rule]} if listing.rule else mine


def shown_columns(listing: Listing) -> list[str]:
    """The fields of the list after the name: those chosen, or those that are in lists from the start."""
    info = listing.view.info
    chosen = listing.setup.columns or [name for name, field in listing.view.fields.items() if field.in_list]
    return [name for name in chosen if name != info.title_field]


def query_of(listing: Listing, limit: int = PER_PAGE, only: Sequence[int] | None = None) -> ListQuery:
    """The query of the list's present page; or of some records, whether or not the filter finds them."""
    view = listing.view
    needed = {
        view.info.title_field,
        view.info.date_field,
        view.info.amount_field,
        view.info.subtitle_field,
        "currency",
    }
    needed |= {"kind", *shown_columns(listing), *(one.field for one in view.lifecycles)}
    needed |= {one.when[0] for one in view.lifecycles if one.when}
    return ListQuery(
        view,
        g.edition,
        g.actor,
        rule=full_rule(listing) if only is None else None,
        text=listing.query if only is None else None,
        sort=listing.setup.sort,
        fields=[name for name in view.fields if name in needed],
        cursor=None if listing.setup.group or only is not None else listing.cursor,
        ids=only,
        deleted=listing.trash,
        limit=limit,
    )


def list_context(listing: Listing, base: str, query: ListQuery) -> dict[str, Any]:
    """Everything ``list.html`` shows but groups: at most four queries, whatever the number of rows."""
    view = listing.view
    found = Page([], None) if listing.setup.group else query.page(g.session)
    total = query.count(g.session, COUNT_UP_TO + 1)
    names = shown_columns(listing)
    may_edit = g.actor.may(view.name, "update")
    filtered = bool(listing.rule or listing.query or listing.mine)
    return {
        "total": _total(total),
        "about": total > COUNT_UP_TO,
        "may_create": g.actor.may(view.name, "create") and not listing.trash,
        "may_edit": may_edit,
        "new_url": f"{base}/{view.name}/new",
        "duplicates_url": f"{base}/{view.name}/duplicates" if comparable(view) and may_merge(view) else "",
        "import_url": f"{base}/{view.name}/import" if g.actor.may(view.name, "create") else "",
        "export_url": f"{base}/{view.name}/export?{urlencode(listing.arguments())}",
        "shapes": shapes(listing, base),
        "views": _views(listing, base, total),
        **bar_context(listing, base),
        "sort": _sort(listing, base),
        "columns_shown": len(names) + 1,
        "columns_all": len(view.fields),
        "columns_url": f"{base}/{view.name}/columns?{urlencode(listing.arguments())}",
        "dense": listing.setup.dense,
        "dense_url": listing.url(base, dense="0" if listing.setup.dense else "1", c=()),
        "totals_url": listing.url(base, totals="0" if listing.setup.totals else "1", c=()),
        "totals": total_rows(query, names) if listing.setup.totals and total else None,
        "columns": _columns(listing, base, names),
        "rows": [row_of(listing, base, names, record) for record in found.items],
        "groups": [],
        "foot": _foot(listing, base, query, found, total),
        "bulk": _bulk(view, base, listing.trash),
        "select_all": str(_("Select all %(count)s", count=_total(total))) if total > len(found.items) else "",
        "selected_all": str(_("All %(count)s selected", count=_total(total))),
        "filtered": filtered,
        "empty_text": "",
        "guide_url": "",
    }


def bar_context(listing: Listing, base: str) -> dict[str, Any]:
    """What ``components/filter_bar.html`` shows above a list, a board or a calendar."""
    view = listing.view
    return {
        "entity": _entity(view),
        "changed": listing.changed and not listing.trash,
        "reset_url": listing.url(base, filter="", q="", sort="", columns="", dense="", totals="", group="")
        if listing.changed or listing.query
        else "",
        "view": _view(listing, base),
        "new_view_url": f"{base}/{view.name}/views/new?{urlencode(listing.arguments())}",
        "chips": _chips(listing, base),
        "rules": None,
        "rule_json": listing.rule,
        "query": listing.query,
        "action": listing.path(base),
        "find_keeps": [*(pair for pair in listing.arguments(q="") if pair[0] != "q"), *listing.kept],
        "segment_url": f"{base}/segments/new?entity={view.name}"
        if g.actor.administrator and view.name != "user"
        else "",
    }


def shapes(listing: Listing, base: str) -> list[dict[str, Any]]:
    """What the records of a list can be shown as, with the same filter; empty where there is only the table."""
    view = listing.view
    titles: dict[str, Text] = {"": _("List")}
    if view.lifecycles:
        titles["board"] = _("Board")
    if view.info.date_field:
        titles["calendar"] = _("Calendar")
    if len(titles) == 1 or listing.trash:
        return []
    return [
        {
            "title": str(title),
            "url": replace(listing, shape=shape, kept=()).url(base),
            "current": shape == listing.shape,
        }
        for shape, title in titles.items()
    ]


def _entity(view: EntityView) -> dict[str, Any]:
    title = str(view.info.title)
    return {
        "name": view.name,
        "title": title,
        "plural": str(view.info.plural),
        "icon": view.info.icon,
        "new_title": new_title(view),
    }


def _total(total: int) -> str:
    return f"{format_number(COUNT_UP_TO)}+" if total > COUNT_UP_TO else format_number(total)


def _views(listing: Listing, base: str, total: int) -> list[dict[str, Any]]:
    bare = {"filter": "", "q": "", "sort": "", "columns": "", "dense": "", "totals": "", "group": ""}
    bare["bin"] = ""
    saved_id = listing.saved.id if listing.saved else None
    plain = not listing.mine and saved_id is None and not listing.trash
    everything = "all" if any(one.first for one in listing.views) else ""
    tabs: list[tuple[Any, str, bool, bool]] = [
        (_("All"), listing.url(base, view=everything, **bare), plain, False),
        (_("Mine"), listing.url(base, view="mine", **bare), listing.mine, False),
    ]
    for one in listing.views:
        url = listing.url(base, view=str(one.saved.id), **bare)
        tabs.append((one.saved.title, url, one.saved.id == saved_id, one.saved.user_id is None))
    bin_url = listing.url(base, view=everything, **{**bare, "bin": "1"})
    tabs.append((_("Bin"), bin_url, listing.trash, False))
    return [
        {
            "title": str(title),
            "url": url,
            "current": current,
            "count": _total(total) if current else None,
            "note": str(_("Not saved")) if current and listing.changed and not listing.trash else "",
            "icon": ("users", str(_("Shared"))) if shared else None,
        }
        for title, url, current, shared in tabs
    ]


def _view(listing: Listing, base: str) -> dict[str, Any] | None:
    """What can be done with the saved view that is shown."""
    saved = listing.saved
    if saved is None:
        return None
    url = f"{base}/{listing.view.name}/views/{saved.id}"
    return {
        "title": saved.title,
        "first": any(one.first for one in listing.views if one.saved.id == saved.id),
        "first_url": f"{url}/first",
        "change_url": url if may_change(g.actor, saved) else "",
    }


def _chips(listing: Listing, base: str) -> list[dict[str, Any]]:
    if not listing.rule:
        return []
    return [
        {
            "field": words,
            "remove_url": listing.url(base, filter=json.dumps(rest, ensure_ascii=False)),
        }
        for words, rest in chips(listing.rule, listing.view, g.edition)
    ]


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
    title = view.info.title_field
    for name in (title, *names):
        if name not in view.fields:
            heads.append(
                {
                    "name": name,
                    "label": str(view.info.title),
                    "align": "start",
                    "css": "",
                    "sorted": "",
                    "sort_url": "",
                }
            )
            continue
        field = view.fields[name]
        down = current == f"-{name}"
        direction = "descending" if down else "ascending" if current == name else ""
        target = name if direction != "ascending" else f"-{name}"
        sortable = field.type.kind != "json" and not isinstance(field.type, types.LongText)
        sort_url = listing.url(base, sort=target) if sortable else ""
        strong = name == view.info.amount_field
        head = column(g.edition, field)
        css = f"{head['css']} figure".strip() if strong else head["css"]
        heads.append({**head, "css": css, "sorted": direction, "sort_url": sort_url})
    return heads


def row_context(
    listing: Listing, base: str, record_id: int, editing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What ``list_row.html`` shows of one row of a list; ``editing`` is its cell that is open. Raises RecordNotFound."""
    names = shown_columns(listing)
    found = query_of(listing, only=[record_id]).page(g.session).items
    if not found:
        raise RecordNotFound()
    row = {**row_of(listing, base, names, found[0]), "editing": editing}
    return {"row": row, "list": list_heads(listing, base)}


def list_heads(listing: Listing, base: str) -> dict[str, Any]:
    """What a row by itself needs to know of its list."""
    columns = _columns(listing, base, shown_columns(listing))
    return {"columns": columns, "bulk": _bulk(listing.view, base, listing.trash)}


def row_of(listing: Listing, base: str, names: Sequence[str], record: Record) -> dict[str, Any]:
    """A row of a list: its cells, and what a phone shows of it."""
    view, info = listing.view, listing.view.info
    title = title_of(view, record)
    may_edit = g.actor.may(view.name, "update") and not listing.trash
    cells = [
        {
            **shown(g.edition, base, view.fields[name], record, bare=True),
            "name": name,
            "open": may_edit and is_typed(view.fields[name]),
        }
        for name in names
    ]
    fields = view.fields
    line = shown(g.edition, base, fields[info.subtitle_field], record) if info.subtitle_field else {}
    figure = shown(g.edition, base, fields[info.amount_field], record)["text"] if info.amount_field else ""
    when = shown(g.edition, base, fields[info.date_field], record)["text"] if info.date_field else ""
    icon = {"company": "building", "person": "user"}.get(str(record.values.get("kind")), "")
    return {
        "id": record.id,
        "url": f"{base}/{view.name}/{record.id}",
        "title": title,
        "title_field": info.title_field,
        "title_open": may_edit and is_typed(view.fields.get(info.title_field)),
        "editing": None,
        "icon": icon,
        "avatar": person(title, record.id),
        "cells": cells,
        "line": {**line, "url": ""},  # on a phone the whole row is one link
        "figure": figure,
        "when": when,
    }


def is_typed(field: Field | None) -> bool:
    """Whether people can change the field by typing or choosing."""
    return field is not None and not field.read_only and field.type.kind != "json"


def _foot(listing: Listing, base: str, query: ListQuery, found: Page, total: int) -> dict[str, Any]:
    first = len(listing.cursors) * PER_PAGE + 1
    previous = list(listing.cursors[:-1])
    return {
        "first": format_number(first),
        "last": format_number(first + len(found.items) - 1) if found.items else "",
        "total": _total(total),
        "about": False,
        "sums": amount_sums(query) if 0 < total <= COUNT_UP_TO else [],
        "prev_url": listing.url(base, c=previous) if listing.cursors else "",
        "next_url": listing.url(base, c=[*listing.cursors, found.next]) if found.next else "",
        "per_page": PER_PAGE,
    }


def may_merge(view: EntityView) -> bool:
    """Whether the reader may merge records of this entity, in so far as they reach them."""
    return mergeable(view) and g.actor.may(view.name, "update") and g.actor.may(view.name, "delete")


def _bulk(view: EntityView, base: str, trash: bool) -> list[dict[str, Any]]:
    acts: list[tuple[Text, str, str]] = []
    if trash and g.actor.may(view.name, "delete"):
        acts = [(_("Restore"), "undo-2", "restore")]
    elif not trash:
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
