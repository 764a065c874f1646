"""Where one can go from every page: the items of the side bar by directions, and of the bar at the bottom of a phone."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import g, request

from trellis.contributions import Direction, Level, MenuItem
from trellis.crm.project.rows import DIRECTIONS, ROWS
from trellis.edition import Edition
from trellis.i18n import Text, translator
from trellis.web.display import origin
from trellis.web.patterns import kept

_ = translator("trellis")

ICONS = {
    Direction.MANAGEMENT: "target",
    Direction.MARKET: "compass",
    Direction.CUSTOMERS: "users-round",
    Direction.PRODUCTS: "package",
    Direction.MARKETING: "megaphone",
    Direction.SALES: "chart-no-axes-column",
    Direction.SERVICE: "headset",
}
_SHORT = {Direction.MARKETING: _("Marketing")}
"""Names that the side bar has no room for in full."""

_LEVELS = list(Level)


def navigation(direction: str = "") -> dict[str, Any]:
    """The items of the present page; ``direction`` is that which the page belongs to."""
    return _navigation(_here(), direction)


def current_paths() -> frozenset[str]:
    """The paths of the items that are marked as current on the present page."""
    here = _here()
    return frozenset(path for path in kept(("paths", g.actor.rights), _paths) if _current(here, path))


def _here() -> str:
    return request.path.removeprefix(f"/{g.workspace.name}/").strip("/")


def _paths() -> tuple[str, ...]:
    found = _navigation("", "")
    below = chain.from_iterable(one["items"] for one in found["directions"])
    items = [*found["main"], *below, *found["insight"], *found["bottom"]]
    start = len(f"/{g.workspace.name}/")
    return ("settings", *(one["url"][start:] for one in items))


def _navigation(here: str, direction: str) -> dict[str, Any]:
    base, edition = f"/{g.workspace.name}", g.edition
    settings = _item(base, here, _("Settings"), "settings", "settings-2")
    return {
        "main": _main(base, here),
        "directions": [_direction(edition, base, here, one, one == direction) for one in Direction],
        "insight": _insight(base, here),
        "settings": settings if g.actor.administrator else None,
        "bottom": _bottom(base, here),
    }


def _item(base: str, here: str, title: Text | str, path: str, icon: str = "", **more: Any) -> dict[str, Any]:
    return {
        "title": str(title),
        "icon": icon,
        "url": f"{base}/{path}",
        "count": "",
        "current": _current(here, path),
        **more,
    }


def _current(here: str, path: str) -> bool:
    return here == path or (bool(path) and here.startswith(f"{path}/"))


def _main(base: str, here: str) -> list[dict[str, Any]]:
    items = [_item(base, here, _("Home"), "", "house")]
    if "activity" in g.edition.entities and g.actor.may("activity", "read"):
        items.append(_item(base, here, _("My tasks"), "tasks", "circle-check"))
    return [*items, _item(base, here, _("CRM model"), "model", "grid-3x3")]


def _insight(base: str, here: str) -> list[dict[str, Any]]:
    if not g.actor.may("customer", "read"):
        return []
    return [_item(base, here, _("Customer value"), "analytics", "chart-line")]


def _bottom(base: str, here: str) -> list[dict[str, Any]]:
    items = _main(base, here)[:2]
    if g.actor.may("customer", "read"):
        items.append(_item(base, here, _("Customers"), "customer", "users"))
    return [*items, _item(base, here, _("Model"), "model", "grid-3x3")]


def _direction(edition: Edition, base: str, here: str, direction: Direction, current: bool) -> dict[str, Any]:
    items = [*_entity_items(edition, base, here, direction), *_screens(edition, base, here, direction)]
    items += _menu_items(edition, base, here, direction)
    nearest = max((item["url"] for item in items if item["current"]), key=len, default="")
    items = [{**item, "current": item["url"] == nearest} for item in items]
    items.sort(key=lambda item: item["order"])
    return {
        "title": str(_SHORT.get(direction, DIRECTIONS[direction])),
        "icon": ICONS[direction],
        "current": current or any(item["current"] for item in items),
        "items": items,
    }


def _entity_items(edition: Edition, base: str, here: str, direction: Direction) -> list[dict[str, Any]]:
    found = []
    for view in edition.entities.values():
        if view.info.direction == direction and view.info.parent is None and g.actor.may(view.name, "read"):
            level = _LEVELS.index(Level(view.info.level)) if view.info.level else 2
            item = _item(base, here, view.info.plural, view.name, view.info.icon)
            found.append({**item, "origin": origin(edition, view.owner), "order": (level, 1)})
    return found


def _screens(edition: Edition, base: str, here: str, direction: Direction) -> list[dict[str, Any]]:
    """Screens of the model's rows that are not lists of an entity (segments, KPIs)."""
    found = []
    for row in ROWS:
        if row.direction != direction or not row.path or row.path.split("/")[0] in edition.entities:
            continue
        if row.path.startswith("analytics") or not g.actor.may(row.reads, "read"):
            continue
        item = _item(base, here, row.title, row.path)
        found.append({**item, "order": (_LEVELS.index(row.level), 0)})
    return found


def _menu_items(edition: Edition, base: str, here: str, direction: Direction) -> list[dict[str, Any]]:
    return [
        {
            **_item(base, here, one.title, one.path, one.icon),
            "origin": origin(edition, one.owner),
            "order": (_LEVELS.index(one.level), 2 + one.position),
        }
        for one in edition.all(MenuItem).values()
        if one.direction == direction and (one.entity is None or g.actor.may(one.entity, "read"))
    ]
