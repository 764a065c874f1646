"""The frame around every page, as HTML that is written once for a reader, a place and a language, and kept with the edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g
from markupsafe import Markup

from trellis.web.navigation import current_paths, navigation
from trellis.web.patterns import Pattern, kept, rendered


@dataclass(frozen=True)
class _Kept:
    """A frame before the token of the browser's session is filled in."""

    side: Pattern
    bottom: Markup
    dialogs: Markup


def frame(
    shell: Mapping[str, Any], direction: str, place: Mapping[str, int] | None, icon: str
) -> dict[str, Markup]:
    """The parts of ``base.html`` that are the same on many pages of this reader.

    ``place`` is that in the CRM model; ``icon`` stands for it where a page has none.
    """
    around = kept(_key(shell, direction), lambda: _written(shell, direction))
    at = None if place is None else tuple(place.values())
    top = kept(
        ("top", at, icon), lambda: rendered("frame/top.html", shell=shell, place=place, crumb_icon=icon)
    )
    side = around.side.fill({"csrf": shell["csrf_token"]})
    return {"side": side, "top": top, "bottom": around.bottom, "dialogs": around.dialogs}


def _key(shell: Mapping[str, Any], direction: str) -> tuple[Any, ...]:
    """All that the parts depend on beside the edition and the language."""
    reader = (g.actor.user_id, g.actor.name, g.email, g.actor.rights)
    memberships = tuple((one.name, one.title) for one in g.memberships)
    return ("frame", reader, memberships, shell["theme"], direction, current_paths())


def _written(shell: Mapping[str, Any], direction: str) -> _Kept:
    around, name = navigation(direction), g.edition.workspace
    workspaces = [
        {"title": one.title, "edition": "", "url": f"/{one.name}/", "current": one.name == name}
        for one in g.memberships
    ]

    def side(gaps: Mapping[str, str]) -> str:
        marked = {**shell, "csrf_token": gaps["csrf"]}
        return rendered("frame/side.html", shell=marked, navigation=around, workspaces=workspaces)

    return _Kept(
        side=Pattern(("csrf",), side),
        bottom=rendered("frame/bottom.html", navigation=around),
        dialogs=rendered("frame/dialogs.html", shell=shell),
    )
