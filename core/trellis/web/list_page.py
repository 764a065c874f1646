"""What ``list.html`` shows of a list: its menus, the heads of its columns, the rows of a page, and the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import g
from markupsafe import Markup

from trellis.errors import RecordNotFound
from trellis.i18n import format_number, translator
from trellis.records.query import ListQuery, Page
from trellis.web.list_bar import bar_context
from trellis.web.list_head import bulk_acts, head, select_all, selected_all
from trellis.web.listing import COUNT_AT_ONCE, COUNT_UP_TO, PER_PAGE, Listing, query_of, shown_columns
from trellis.web.rows import Rows, rows_of
from trellis.web.totals import count_and_sums, total_rows

_ = translator("trellis")


def list_context(listing: Listing, base: str, query: ListQuery) -> dict[str, Any]:
    """Everything ``list.html`` shows but groups: at most three queries, whatever the number of rows."""
    view = listing.view
    found = Page([], None) if listing.setup.group else query.page(g.session)
    most = COUNT_UP_TO if listing.setup.group else COUNT_AT_ONCE
    total, sums = count_and_sums(query, most + 1)
    names = shown_columns(listing)
    told = total_text(total, most)
    more_than_counted = most < total and not listing.setup.group
    return {
        **bar_context(listing, base),
        "head": head(listing, base, told, more=total > len(found.items)),
        "total": told,
        "about": total > COUNT_UP_TO,
        "may_create": view.info.by_hand and g.actor.may(view.name, "create") and not listing.trash,
        "new_url": f"{base}/{view.name}/new",
        "dense": listing.setup.dense,
        "totals": total_rows(query, names) if listing.setup.totals and total else None,
        "rows": list_rows(listing, base).html(found.items),
        "groups": [],
        "foot": _foot(listing, base, found, told, sums),
        "counts_url": _counts_url(listing, base) if more_than_counted else "",
        "filtered": bool(listing.rule or listing.query or listing.mine),
        "trash": listing.trash,
        "empty_text": str(view.info.about or ""),
        "made_url": f"{base}/{view.info.made_at}" if view.info.made_at else "",
        **list_frame(listing, base),
    }


def list_frame(listing: Listing, base: str) -> dict[str, Any]:
    """What groups need to know of their list: whether rows can be ticked, and how many columns there are."""
    acts = bulk_acts(listing.view, base, trash=listing.trash)
    return {"bulk": bool(acts), "width": len(shown_columns(listing)) + 1}


def list_rows(listing: Listing, base: str) -> Rows:
    """How rows of a list are written."""
    view, trash = listing.view, listing.trash
    may_edit = g.actor.may(view.name, "update") and not trash and not view.info.kept
    pick = bool(bulk_acts(view, base, trash=trash))
    return rows_of(view, base, shown_columns(listing), pick=pick, open_=may_edit)


def row_html(listing: Listing, base: str, record_id: int, editing: Mapping[str, Any] | None = None) -> Markup:
    """One row of a list; ``editing`` is its cell that is open. Raises RecordNotFound."""
    found = query_of(listing, only=[record_id]).page(g.session).items
    if not found:
        raise RecordNotFound()
    return list_rows(listing, base).row(found[0], editing)


def counts(listing: Listing, query: ListQuery) -> dict[str, Any]:
    """What ``list_counts.html`` tells of a list that has more records than are counted at once."""
    total, sums = count_and_sums(query, COUNT_UP_TO + 1)
    told = total_text(total)
    return {
        "total": told,
        "foot": {**_range(listing, PER_PAGE, total), "total": told, "sums": sums},
        "bulk": bool(bulk_acts(listing.view, "", trash=listing.trash)),
        "select_all": str(select_all(told)),
        "selected_all": str(selected_all(told)),
    }


def _counts_url(listing: Listing, base: str) -> str:
    return f"{base}/{listing.view.name}/counts?{urlencode(listing.arguments(c=listing.cursors))}"


def total_text(total: int, most: int = COUNT_UP_TO) -> str:
    """A number of records; of more than ``most`` only that they are more."""
    return f"{format_number(most)}+" if total > most else format_number(total)


def _range(listing: Listing, shown: int, total: int) -> dict[str, str]:
    """The numbers of the first and the last record of the page, of which it has at most as many as ``shown``."""
    before = len(listing.cursors) * PER_PAGE
    last = min(before + shown, max(total, before + 1))
    return {"first": format_number(before + 1), "last": format_number(last) if shown else ""}


def _foot(
    listing: Listing, base: str, found: Page, told: str, sums: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    previous = list(listing.cursors[:-1])
    shown = len(found.items)
    return {
        **_range(listing, shown, len(listing.cursors) * PER_PAGE + shown),
        "total": told,
        "about": False,
        "sums": sums,
        "prev_url": listing.url(base, c=previous) if listing.cursors else "",
        "next_url": listing.url(base, c=[*listing.cursors, found.next]) if found.next else "",
        "per_page": PER_PAGE,
    }
