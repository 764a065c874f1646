"""What stands above a list, a board or a calendar: saved views, filter, and what else its records can be shown as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import g
from markupsafe import Markup

from trellis.edition import EntityView
from trellis.i18n import Text, translator
from trellis.settings.views import may_change
from trellis.web.display import new_title
from trellis.web.filters import chips
from trellis.web.listing import Listing
from trellis.web.patterns import Pattern, kept, rendered

_ = translator("trellis")


def bar_context(listing: Listing, base: str) -> dict[str, Any]:
    """What ``components/filter_bar.html`` shows above a list, a board or a calendar."""
    view = listing.view
    return {
        "entity": entity_of(view),
        "shape_views": tabs(listing, base) if listing.shape else [],
        "changed": listing.changed and not listing.trash,
        "reset_url": listing.url(base, filter="", q="", sort="", columns="", dense="", totals="", group="")
        if listing.changed or listing.query
        else "",
        "view": view_of(listing, base),
        "new_view_url": f"{base}/{view.name}/views/new?{urlencode(listing.arguments())}",
        "chips": _chips(listing, base),
        "rules": None,
        "builder": _builder(listing, base),
        "query": listing.query,
        "action": listing.path(base),
        "find_keeps": [*(pair for pair in listing.arguments(q="") if pair[0] != "q"), *listing.kept],
    }


def _builder(listing: Listing, base: str) -> Markup:
    """The rule builder with the list's rule."""
    view = listing.view
    may_define = g.actor.administrator and view.name != "user"
    about = {
        "action": listing.path(base),
        "url": f"{base}/{view.name}",
        "segment_url": f"{base}/segments/new?entity={view.name}" if may_define else "",
    }

    def write(gaps: Mapping[str, str]) -> str:
        return rendered("components/rules.html", rules={**about, **gaps})

    pattern = kept(("rule builder", *about.values()), lambda: Pattern(("rule",), write))
    return pattern.fill({"rule": json.dumps(listing.rule, ensure_ascii=False)})


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


def entity_of(view: EntityView) -> dict[str, Any]:
    """How an entity is called."""
    title = str(view.info.title)
    return {
        "name": view.name,
        "title": title,
        "plural": str(view.info.plural),
        "icon": view.info.icon,
        "new_title": new_title(view),
    }


def tabs(listing: Listing, base: str, total: str | None = None) -> list[dict[str, Any]]:
    """The views of a list, a board or a calendar; ``total`` is the number of records of the present one."""
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
    if not listing.shape:
        bin_url = listing.url(base, view=everything, **{**bare, "bin": "1"})
        tabs.append((_("Bin"), bin_url, listing.trash, False))
    return [
        {
            "title": str(title),
            "url": url,
            "current": current,
            "count": total if current else None,
            "count_id": "tab-total",
            "note": str(_("Not saved")) if current and listing.changed and not listing.trash else "",
            "icon": ("users", str(_("Shared"))) if shared else None,
        }
        for title, url, current, shared in tabs
    ]


def view_of(listing: Listing, base: str) -> dict[str, Any] | None:
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
        for words, rest in chips(listing.rule, listing.view, g.records)
    ]
