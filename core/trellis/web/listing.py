"""A list as its address describes it: filter, search, sort, columns, page. And what ``list.html`` needs of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from flask import g
from werkzeug.datastructures import MultiDict

from trellis.contributions import Rule
from trellis.edition import EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.grouping import grouping, known_grouping
from trellis.records.query import ListQuery
from trellis.settings.views import UsableView, usable_views
from trellis.system import SavedView

_ = translator("trellis")

PER_PAGE = 50
COUNT_UP_TO = 10_000
COUNT_AT_ONCE = 200
"""So many records of a list are counted before its page is sent; the number of more follows when they are counted."""
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
    marked: str = ""
    """What stands in addresses instead of the filter, where the filter is filled in later (web/patterns.py)."""

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

    @property
    def filter(self) -> str:
        """The filter as it stands in the address: JSON, or nothing where it is that of the view."""
        same = self.setup.rule == self.begun.rule
        return "" if same else json.dumps(self.setup.rule, ensure_ascii=False)

    def arguments(self, **changes: Any) -> list[tuple[str, str]]:
        """The address of this list with some parts changed; a change of what is listed goes to the first page.

        Only what differs from the view is written down.
        """
        setup, begun = self.setup, self.begun
        plain = "all" if any(one.first for one in self.views) else ""
        state: dict[str, Any] = {
            "view": "mine" if self.mine else str(self.saved.id) if self.saved else plain,
            "filter": self.marked or self.filter,
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
        rule = orjson.loads(text) if text else begun.rule
    except orjson.JSONDecodeError:
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
    sort = tuple(name for name in definition.get("sort", ()) if _is_there(view, name.removeprefix("-")))
    dense, sums = bool(definition.get("dense")), bool(definition.get("totals"))
    group = known_grouping(definition.get("group", ""), view)
    return Setup(definition.get("rule") or None, sort, columns, dense, sums, group.name if group else "")


def _is_there(view: EntityView, path: str) -> bool:
    return any(path == name or path.startswith(f"{name}.") for name in view.fields)


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
        view.info.due_field,
        view.info.amount_field,
        view.info.subtitle_field,
        "currency",
    }
    needed |= {
        "kind",
        *view.info.line_fields,
        *shown_columns(listing),
        *(one.field for one in view.lifecycles),
    }
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
