"""The frame around every page: navigation by directions, breadcrumb, place in the CRM model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g, render_template, request, session

from trellis.contributions import Direction, Level, MenuItem
from trellis.crm.project.rows import DIRECTIONS, ROWS
from trellis.edition import Edition, EntityView
from trellis.i18n import Text, current_language, translator
from trellis.web.creating import creations
from trellis.web.display import origin, person

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
_DIRECTIONS = list(Direction)


def page(
    template: str,
    *,
    title: Text | str,
    crumbs: Sequence[tuple[Text | str, str]] = (),
    direction: str = "",
    level: str = "",
    icon: str = "",
    **context: Any,
) -> str:
    """Renders a page inside the frame. ``crumbs`` are (title, path) pairs before the page's own."""
    base = f"/{g.workspace.name}"
    trail = [{"title": str(one), "url": f"{base}/{path}"} for one, path in crumbs]
    place = None
    if direction in _DIRECTIONS and level in _LEVELS:
        place = {"row": _DIRECTIONS.index(Direction(direction)), "column": _LEVELS.index(Level(level))}
    return render_template(
        template,
        page_title=str(title),
        crumbs=[*trail, {"title": str(title), "url": request.path}],
        place=place,
        crumb_icon="" if place else icon,
        shell=shell(direction),
        **context,
    )


def entity_page(
    template: str, view: EntityView, *, title: Text | str, inside: bool = False, **context: Any
) -> str:
    """A page of an entity, with its direction (and, for pages inside it, its list) in the breadcrumb."""
    crumbs: list[tuple[Text | str, str]] = []
    if view.info.direction in DIRECTIONS:
        direction = DIRECTIONS[Direction(view.info.direction)]
        if str(direction) != str(view.info.plural):
            crumbs.append((direction, "model"))
    if inside:
        crumbs.append((view.info.plural, view.name))
    return page(
        template,
        title=title,
        crumbs=crumbs,
        direction=view.info.direction,
        level=view.info.level,
        icon=view.info.icon,
        **context,
    )


def shell(direction: str = "") -> dict[str, Any]:
    """What ``base.html`` needs."""
    base = f"/{g.workspace.name}"
    edition: Edition = g.edition
    here = request.path.removeprefix(f"{base}/").strip("/")
    return {
        "base": base,
        "language": current_language(),
        "theme": request.cookies.get("theme", "")
        if request.cookies.get("theme") in ("light", "dark")
        else "",
        "csrf_token": g.csrf_token,
        "toasts": session.pop("toasts", []),
        "workspace": {
            "title": edition.settings.title or edition.workspace,
            "edition": edition_title(edition),
        },
        "workspaces": [
            {
                "title": one.title,
                "edition": "",
                "url": f"/{one.name}/",
                "current": one.name == edition.workspace,
            }
            for one in g.memberships
        ],
        "user": {
            **person(g.actor.name, g.actor.user_id),
            "email": g.email,
            "url": f"{base}/user/{g.actor.user_id}",
        },
        "main": _main(base, here),
        "directions": [_direction(edition, base, here, one, one == direction) for one in Direction],
        "insight": _insight(base, here),
        "settings": _item(base, here, _("Settings"), "settings", "settings-2")
        if g.actor.administrator
        else None,
        "bottom": _bottom(base, here),
        "create": creations(base),
    }


def edition_title(edition: Edition) -> str:
    """“Retail edition”, or the names of several verticals."""
    titles = [str(manifest.title) for manifest in edition.plugins if manifest.kind == "vertical"]
    return str(_("%(names)s edition", names=" + ".join(titles))) if titles else str(_("Standard edition"))


def toast(text: Text | str, undo_url: str = "") -> None:
    """Shows a message on the next page."""
    session.setdefault("toasts", []).append({"text": str(text), "undo_url": undo_url})
    session.modified = True


def _item(base: str, here: str, title: Text | str, path: str, icon: str = "", **more: Any) -> dict[str, Any]:
    current = here == path or (bool(path) and here.startswith(f"{path}/"))
    return {
        "title": str(title),
        "icon": icon,
        "url": f"{base}/{path}",
        "count": "",
        "current": current,
        **more,
    }


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
        if row.path.startswith("analytics") or not g.actor.may("customer", "read"):
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
