"""What the reader may make: the acts “New customer”, “New opportunity” of the home page and of the palette."""

from __future__ import annotations

from typing import Any

from flask import g

from trellis.contributions import Direction
from trellis.web.display import new_title

_FIRST = (Direction.CUSTOMERS, Direction.SALES, Direction.SERVICE, Direction.PRODUCTS)


def creations(base: str) -> list[dict[str, Any]]:
    """The kinds of records of daily work that the reader may create, in the order of the work."""
    found = [
        (_FIRST.index(Direction(view.info.direction)), view)
        for view in g.edition.entities.values()
        if view.info.direction in _FIRST and view.info.parent is None and g.actor.may(view.name, "create")
    ]
    found.sort(key=lambda pair: pair[0])
    return [
        {"title": new_title(view), "icon": view.info.icon, "url": f"{base}/{view.name}/new"}
        for _at, view in found
    ]
