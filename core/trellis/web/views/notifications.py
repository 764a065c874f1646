"""Notifications: the bell, the list of what the reader was told, and how they want to be told."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.i18n import format_day, format_number, format_time, translator
from trellis.notifications import choices
from trellis.notifications.inbox import Entry, Inbox
from trellis.web.shell import bell, page, shell, toast
from trellis.web.views.lists import base, go, whole_number

_ = translator("trellis")

blueprint = Blueprint("notifications", __name__)

PER_PAGE = 50


@blueprint.get("/<workspace>/notifications")
def show(workspace: str) -> str:
    inbox = Inbox(g.session, g.edition, g.actor)
    before, only = whole_number(request.args.get("before", "")), request.args.get("show") == "unread"
    found = inbox.page(PER_PAGE + 1, before, unread=only)
    here, unread = f"{base()}/notifications", inbox.unread()
    kept = "&show=unread" if only else ""
    context = {
        "days": [
            {"title": title, "rows": [_row(one) for one in group]}
            for title, group in groupby(found[:PER_PAGE], key=lambda one: format_day(one.at))
        ],
        "unread": format_number(unread),
        "filters": [
            {"title": str(_("All")), "url": here, "current": not only},
            {"title": str(_("Unread")), "url": f"{here}?show=unread", "current": only},
        ],
        "filtered": only,
        "read_url": f"{here}/read" if unread else "",
        "choose_url": f"{base()}/profile#notifications",
        "older_url": f"{here}?before={found[PER_PAGE - 1].id}{kept}" if len(found) > PER_PAGE else "",
    }
    return page("notifications.html", title=_("Notifications"), icon="bell", notifications=context)


@blueprint.get("/<workspace>/notifications/bell")
def ring(workspace: str) -> str:
    """The bell as it stands now, for a page that is looked at again."""
    return render_template("frame/bell.html", shell={**shell(), "bell": bell()})


@blueprint.post("/<workspace>/notifications/read")
def read_all(workspace: str) -> BaseResponse:
    Inbox(g.session, g.edition, g.actor).mark_all()
    return go(f"{base()}/notifications")


@blueprint.post("/<workspace>/notifications/<int:number>/read")
def read(workspace: str, number: int) -> BaseResponse:
    """Marks one as read, or as unread again."""
    Inbox(g.session, g.edition, g.actor).mark(number, read=request.form.get("unread") != "1")
    return go(f"{base()}/notifications")


@blueprint.post("/<workspace>/notifications/<int:number>/open")
def follow(workspace: str, number: int) -> BaseResponse:
    """Goes where a notification leads; it is read by that."""
    inbox = Inbox(g.session, g.edition, g.actor)
    found = inbox.find(number)
    inbox.mark(number)
    return go(f"{base()}/{found.path or 'notifications'}")


@blueprint.post("/<workspace>/profile/notifications")
def choose(workspace: str) -> BaseResponse:
    """How the reader wants to be told of each kind."""
    given = {
        one.kind.name: {way: f"{way}:{one.kind.name}" in request.form for way in ("in_app", "mail")}
        for one in choices.chosen_by(g.session, g.edition, g.actor.user_id)
    }
    choices.choose(g.session, g.edition, g.actor.user_id, given)
    toast(_("Saved"))
    return go(f"{base()}/profile#notifications")


def _row(entry: Entry) -> dict[str, Any]:
    url = f"{base()}/notifications/{entry.id}"
    return {
        "icon": entry.kind.icon,
        "text": entry.text,
        "time": format_time(entry.at),
        "moment": entry.at.isoformat(),
        "read": entry.read,
        "leads": bool(entry.path),
        "open_url": f"{url}/open",
        "read_url": f"{url}/read",
    }
