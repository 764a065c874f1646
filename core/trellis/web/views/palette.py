"""The command palette: one field for records, screens and acts. ``>`` finds acts, ``#`` segments, ``@`` people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request

from trellis.contributions import Segment
from trellis.i18n import Text, translator
from trellis.records.query import ListQuery
from trellis.records.types import Reference
from trellis.search.everywhere import Found, Hit
from trellis.search.words import words
from trellis.web.creating import creations
from trellis.web.display import new_title, title_of
from trellis.web.navigation import navigation
from trellis.web.searching import find, layouts, shown
from trellis.web.views.lists import base
from trellis.web.views.settings import SECTIONS

_ = translator("trellis")

blueprint = Blueprint("palette", __name__)

OF_EACH_ENTITY, ENTITIES = 4, 4
RECENT = 6
SCREENS = 6
ACTS = 6
LONGEST = 100
PEOPLE = ("user", "contact", "customer")

Item = dict[str, Any]
Group = tuple[str, Text | str, Sequence[Item]]


@blueprint.get("/<workspace>/palette")
def results(workspace: str) -> str:
    typed = request.args.get("q", "").strip()[:LONGEST]
    kind, query = (typed[0], typed[1:].strip()) if typed[:1] in (">", "#", "@") else ("", typed)
    groups = [
        {"key": key, "title": str(title), "items": items}
        for key, title, items in _groups(kind, query)
        if items
    ]
    number = sum(len(group["items"]) for group in groups)
    return render_template("palette_results.html", groups=groups, query=query, number=number)


def _groups(kind: str, query: str) -> Iterator[Group]:
    if kind == "#":
        yield "segments", _("Segments"), _matching(_segments(), query)
        return
    if kind == ">":
        yield "acts", _("Acts"), [*_matching(creations(base()), query), *_asked_acts(query)]
        return
    if not query:
        if kind == "":
            yield "recent", _("Recent"), _recent(request.args.get("recent", ""))
            yield "screens", _("Screens"), _matching(_screens(), "")
            yield "acts", _("Acts"), _matching(creations(base()), "")
        return
    used, found = find(query, each=OF_EACH_ENTITY, entities=PEOPLE if kind == "@" else None)
    for one in found[:ENTITIES]:
        items = [{**item, "sub": ""} for item in shown(one, base())]
        yield one.entity, g.edition.entity(one.entity).info.plural, items
    if kind == "@":
        return
    yield "screens", _("Screens"), _matching(_screens(), query)
    yield "acts", _("Acts"), [*_matching(creations(base()), query), *_acts_for(found)]
    yield "settings", _("Settings"), _matching(_settings(), query)
    yield "segments", _("Segments"), _matching(_segments(), query)
    if found:
        url = f"{base()}/search?{urlencode({'q': used})}"
        yield (
            "all",
            _("Search"),
            [{"title": str(_("All that is found")), "icon": "search", "url": url, "sub": ""}],
        )


def _matching(items: Iterable[Item], query: str) -> list[Item]:
    """The items with words that begin with those of the query, in either layout."""
    asked = [words(one) for one in layouts(query)] if query else [[]]
    matching = (
        one
        for one in items
        if any(_begins(f"{one['title']} {one.get('sub', '')}", wanted) for wanted in asked)
    )
    return list(islice(matching, SCREENS))


def _begins(title: str, wanted: Sequence[str]) -> bool:
    known = words(title)
    return all(any(one.startswith(word) for one in known) for word in wanted)


def _screens() -> Iterator[Item]:
    """All places of the side bar that the reader has."""
    places = navigation()
    below = chain.from_iterable(
        ({**item, "icon": item["icon"] or one["icon"], "sub": one["title"]} for item in one["items"])
        for one in places["directions"]
    )
    yield from chain(places["main"], below, places["insight"])


def _settings() -> Iterator[Item]:
    if g.actor.administrator:
        for _heading, pages in SECTIONS:
            for path, title in pages:
                yield {
                    "title": str(title),
                    "sub": str(_("Settings")),
                    "icon": "settings-2",
                    "url": f"{base()}/settings/{path}",
                }


def _segments() -> Iterator[Item]:
    for one in g.edition.all(Segment).values():
        if g.actor.may(one.entity, "read"):
            yield {
                "title": str(one.title),
                "icon": "chart-pie",
                "url": f"{base()}/segments/{one.name}",
                "sub": "",
            }


def _asked_acts(query: str) -> list[Item]:
    """``opportunity anna``: an act for the record that the other words find."""
    act, _space, name = query.partition(" ")
    if not words(act) or not words(name):
        return []
    _used, found = find(name, each=OF_EACH_ENTITY)
    acts = chain.from_iterable(_acts_for([one], among=layouts(act)) for one in found)
    return list(islice(acts, SCREENS))


def _acts_for(found: Sequence[Found], among: Sequence[str] = ()) -> list[Item]:
    """New records for the best that was found: “New opportunity: Anna”; of the kinds ``among``, if any."""
    best = next((one.hits[0] for one in found if one.entity != "user"), None)
    return list(islice(_creations_for(best, among), ACTS)) if best else []


def _creations_for(hit: Hit, among: Sequence[str]) -> Iterator[Item]:
    usual = {one["url"].rsplit("/", 2)[1]: one for one in creations(base())}
    for name, one in usual.items():
        if name == hit.entity:
            continue
        view = g.edition.entity(name)
        named = f"{new_title(view)} {view.info.title}"
        if among and not any(_begins(named, words(act)) for act in among):
            continue
        for field in view.references.values():
            leads = isinstance(field.type, Reference) and field.type.entity == hit.entity
            if leads and field.name not in ("owner", "unit") and not field.read_only:
                title = str(_("%(act)s: %(name)s", act=one["title"], name=hit.title))
                yield {**one, "title": title, "url": f"{one['url']}?{urlencode({field.name: hit.id})}"}
                break


def _recent(asked: str) -> list[Item]:
    """The records that the browser remembers (``customer:12,lead:3``), as far as they are still there to be read."""
    pairs = re.findall(r"([a-z][\w.]*):([1-9]\d{0,17})(?:,|$)", asked)[:RECENT]
    known: dict[tuple[str, str], Item] = {}
    for entity in dict.fromkeys(name for name, _id in pairs):
        view = g.edition.entities.get(entity)
        if view is None or not g.actor.may(entity, "read"):
            continue
        ids = [int(one) for name, one in pairs if name == entity]
        fields = [view.info.title_field]
        for record in ListQuery(view, g.edition, g.actor, ids=ids, fields=fields).page(g.session).items:
            hit = Hit(entity, record.id, title_of(view, record))
            known[entity, str(record.id)] = shown(Found(entity, [hit], False), base())[0]
    return [known[pair] for pair in dict.fromkeys(pairs) if pair in known]
