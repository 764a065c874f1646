"""The command palette: one field for records, screens and acts. ``>`` finds acts, ``#`` segments, ``@`` people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from flask import Blueprint, g, render_template, request

from trellis.contributions import Segment
from trellis.edition import EntityView
from trellis.i18n import Text, translator
from trellis.records.query import ListQuery
from trellis.web.creating import creations
from trellis.web.display import title_of
from trellis.web.shell import shell
from trellis.web.views.lists import base

_ = translator("trellis")

blueprint = Blueprint("palette", __name__)

OF_EACH_ENTITY = 3
RECORDS = 9
SCREENS = 6
LONGEST = 100

Item = dict[str, Any]


@blueprint.get("/<workspace>/palette")
def results(workspace: str) -> str:
    typed = request.args.get("q", "").strip()[:LONGEST]
    kind, query = (typed[0], typed[1:].strip()) if typed[:1] in (">", "#", "@") else ("", typed)
    queries = [query] if kind else list(dict.fromkeys([query, request.args.get("alt", "").strip()[:LONGEST]]))
    found = next((groups for one in queries if (groups := _groups(kind, one))), [])
    return render_template("palette_results.html", groups=found, query=query)


def _groups(kind: str, query: str) -> list[dict[str, Any]]:
    """What is found, in named groups; none that are empty."""
    groups: list[tuple[str, Text, Sequence[Item]]] = []
    if kind in ("", "@") and query:
        groups.append(("records", _("Records"), _records(query, people=kind == "@")))
    if kind == "":
        groups.append(("screens", _("Screens"), _matching(_screens(), query, SCREENS)))
    if kind in ("", ">"):
        groups.append(("acts", _("Acts"), _matching(iter(creations(base())), query, SCREENS)))
    if kind == "#" or (kind == "" and query):
        groups.append(("segments", _("Segments"), _matching(_segments(), query, SCREENS)))
    return [{"key": key, "title": str(title), "items": items} for key, title, items in groups if items]


def _matching(items: Iterator[Item], query: str, most: int) -> list[Item]:
    """The items with a word that begins with the query."""
    wanted = query.casefold()
    matching = (one for one in items if not wanted or f" {wanted}" in f" {one['title'].casefold()}")
    return list(islice(matching, most))


def _screens() -> Iterator[Item]:
    """All places of the side bar that the reader has."""
    frame = shell()
    below = chain.from_iterable(
        ({**item, "icon": item["icon"] or one["icon"], "sub": one["title"]} for item in one["items"])
        for one in frame["directions"]
    )
    last = [frame["settings"]] if frame["settings"] else []
    yield from chain(frame["main"], below, frame["insight"], last)


def _segments() -> Iterator[Item]:
    for one in g.edition.all(Segment).values():
        if g.actor.may(one.entity, "read"):
            yield {
                "title": str(one.title),
                "icon": "chart-pie",
                "url": f"{base()}/segments/{one.name}",
                "sub": "",
            }


def _records(query: str, *, people: bool) -> list[Item]:
    """Records that hold every word of the query, of each kind a few."""
    views = [view for view in g.edition.entities.values() if _searchable(view, people)]
    return list(islice(chain.from_iterable(_of(view, query) for view in views), RECORDS))


def _searchable(view: EntityView, people: bool) -> bool:
    if people and view.name not in ("user", "customer", "contact"):
        return False
    named = view.info.title_field in view.fields and any(one.searchable for one in view.fields.values())
    return named and view.info.parent is None and bool(g.actor.may(view.name, "read"))


def _of(view: EntityView, query: str) -> Iterator[Item]:
    title = view.info.title_field
    found = ListQuery(
        view, g.edition, g.actor, text=query, fields=[title], sort=[title], limit=OF_EACH_ENTITY
    )
    for record in found.page(g.session).items:
        url = f"{base()}/{view.name}/{record.id}"
        yield {
            "title": title_of(view, record),
            "sub": str(view.info.title),
            "icon": view.info.icon,
            "url": url,
        }
