"""The frame around every page: navigation by directions, breadcrumb, place in the CRM model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g, render_template, request, session

from trellis.contributions import Direction, Level
from trellis.crm.project.rows import DIRECTIONS
from trellis.edition import Edition, EntityView
from trellis.i18n import Text, current_language, plural_translator, translator
from trellis.notifications.inbox import MOST_COUNTED, Inbox
from trellis.records.query import Record
from trellis.web.display import person
from trellis.web.frame import frame

_ = translator("trellis")
_n = plural_translator("trellis")

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
    rings: bool = True,
    **context: Any,
) -> str:
    """Renders a page inside the frame. ``crumbs`` are (title, path) pairs before the page's own.

    A page that is to be shown whatever goes on in the database has no bell: it ``rings`` not.
    """
    base = f"/{g.workspace.name}"
    trail = [{"title": str(one), "url": f"{base}/{path}"} for one, path in crumbs]
    place = None
    if direction in _DIRECTIONS and level in _LEVELS:
        place = {"row": _DIRECTIONS.index(Direction(direction)), "column": _LEVELS.index(Level(level))}
    around = {**shell(), "bell": bell()} if rings else shell()
    return render_template(
        template,
        page_title=str(title),
        crumbs=[*trail, {"title": str(title), "url": request.path}],
        shell=around,
        frame=frame(around, direction, place, "" if place else icon),
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


def shell() -> dict[str, Any]:
    """Who reads, where, and in which language: what all templates may ask for."""
    base = f"/{g.workspace.name}"
    edition: Edition = g.edition
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
        "user": {
            **person(g.actor.name, g.actor.user_id),
            "email": g.email,
            "url": f"{base}/user/{g.actor.user_id}",
        },
    }


def bell() -> dict[str, str]:
    """How many notifications the reader has not read."""
    number = Inbox(g.session, g.edition, g.actor).unread()
    text = str(_("Notifications"))
    if number:
        text = str(_n("Notifications: %(num)s unread", "Notifications: %(num)s unread", number))
    return {"unread": f"{MOST_COUNTED - 1}+" if number == MOST_COUNTED else str(number or ""), "text": text}


def edition_title(edition: Edition) -> str:
    """“Retail edition”, or the names of several verticals."""
    titles = [str(manifest.title) for manifest in edition.plugins if manifest.kind == "vertical"]
    return str(_("%(names)s edition", names=" + ".join(titles))) if titles else str(_("Standard edition"))


GIVEN_AWAY = _("Saved. It belongs to somebody else now, and you do not see it any more")


def still_seen(record: Record) -> bool:
    """Whether the reader sees a record that they have written: it may belong to somebody else now."""
    return bool(g.actor.reaches(record.entity, "read", {**record.values, "id": record.id}))


def toast(text: Text | str, undo_url: str = "") -> None:
    """Shows a message on the next page."""
    session.setdefault("toasts", []).append({"text": str(text), "undo_url": undo_url})
    session.modified = True
