"""Searching for people: in whichever keyboard layout they typed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from flask import g

from trellis.records.query import ListQuery
from trellis.search.everywhere import Found, search
from trellis.web import display

_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_RU = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_RU, _TO_EN = str.maketrans(_EN, _RU), str.maketrans(_RU, _EN)


def layouts(query: str) -> list[str]:
    """What was typed, and what the same keys give in the other layout (``bdfyjd`` is иванов)."""
    lower = query.lower()
    other = lower.translate(_TO_EN if any(letter in _RU for letter in lower) else _TO_RU)
    return [query] if other == lower else [query, other]


def find(query: str, *, each: int, entities: Collection[str] | None = None) -> tuple[str, Sequence[Found]]:
    """The records that the reader may see, and the text that found them: that typed, or the same keys otherwise."""
    for text in layouts(query):
        found = search(g.session, g.edition, g.actor, text, each=each, entities=entities)
        if found:
            return text, found
    return query, ()


def shown(found: Found, base: str) -> list[dict[str, Any]]:
    """Records as links, under the name of their kind."""
    view = g.edition.entity(found.entity)
    return [
        {
            "title": hit.title,
            "sub": str(view.info.title),
            "icon": view.info.icon,
            "url": f"{base}/{hit.entity}/{hit.id}",
        }
        for hit in found.hits
    ]


def second_lines(found: Found, base: str) -> dict[int, str]:
    """What tells records of one name apart, by id: the field under their title."""
    view = g.actor.sees(g.edition).entity(found.entity)
    name = view.info.subtitle_field or ""
    if name not in view.fields:
        return {}
    ids = [hit.id for hit in found.hits]
    page = ListQuery(view, g.edition, g.actor, ids=ids, fields=[name], limit=len(ids)).page(g.session)
    return {one.id: display.second_line(g.edition, base, view, one) for one in page.items}
