"""Pages of conversation scripts: the catalogue, and how conversations by one script went."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from werkzeug.wrappers import Response as BaseResponse

from trellis.i18n import translator
from trellis.scripts import own
from trellis.scripts.tables import SCRIPT
from trellis.web.script_figures import catalogue, figures
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go

_ = translator("trellis")

blueprint = Blueprint("script_pages", __name__)

CRUMBS = ((_("Conversation scripts"), "scripts"),)


@blueprint.get("/<workspace>/scripts")
def show_all(workspace: str) -> str:
    return script_page("scripts/all.html", _("Conversation scripts"), crumbs=(), scripts=catalogue())


@blueprint.get("/<workspace>/scripts/<name>")
def show_one(workspace: str, name: str) -> str:
    found = figures(name)
    return script_page("scripts/one.html", found["title"], script=found)


@blueprint.post("/<workspace>/scripts/<name>/copy")
def copy(workspace: str, name: str) -> BaseResponse:
    """A script of one's own from one of the edition, in the editor."""
    made = own.copy(g.records, name)
    toast(
        _(
            "“%(script)s” is yours to change; it is offered instead of the other once it is published",
            script=made.values["name"],
        )
    )
    return go(f"{base()}/{SCRIPT}/{made.id}/edit")


def script_page(template: str, title: Any, *, crumbs: Any = CRUMBS, **context: Any) -> str:
    """A page among those of scripts."""
    return page(
        template,
        title=title,
        crumbs=crumbs,
        direction="market",
        level="operations",
        icon="messages-square",
        **context,
    )
