"""Dialogs and drawers: over the page that asks for one, or, at an address that somebody opens by itself, over an empty page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app, g, render_template, request
from markupsafe import Markup

from trellis.i18n import Text
from trellis.web.shell import page, shell


def dialog_form(dialog: Mapping[str, Any]) -> str:
    """A short form in a dialog; what it holds stands in ``dialog_form.html``."""
    return overlay("dialog_form.html", dialog["title"], dialog=dialog)


def overlay(template: str, title: Text | str, **context: Any) -> str:
    """A dialog or drawer; one that was asked for by its address alone comes with a page, and closing it leads to what is above."""
    if request.method != "GET" or request.headers.get("HX-Request"):
        return render_template(template, shell=shell(), **context)
    opened = Markup(render_template(template, shell={"csrf_token": g.csrf_token}, **context))
    return page("overlay.html", title=title, opened=opened, back=_above())


def _above() -> str:
    """The address of the nearest page above this one."""
    known = current_app.create_url_adapter(request)
    assert known is not None  # there is a request
    parts = request.path.split("/")
    for end in range(len(parts) - 1, 2, -1):
        path = "/".join(parts[:end])
        if known.test(path, "GET"):
            return path
    return f"/{g.workspace.name}/"
