"""One's own calendar for other programs: the public address, and making and ending it in the profile.

An address that is wrong, was renewed or switched off opens nothing; so does that of somebody who works here no more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.service import feed
from trellis.errors import WorkspaceNotFound
from trellis.i18n import known_timezone, translator
from trellis.security import recognition
from trellis.web import context
from trellis.web.language import speak_to_person
from trellis.web.shell import toast
from trellis.web.views.lists import base, go

_ = translator("trellis")

blueprint = Blueprint("feeds", __name__)


@blueprint.get(f"/{feed.PATH}/<link>.ics")
def show(link: str) -> BaseResponse:
    current_app.extensions["trellis_answer_rates"].take(request.remote_addr)
    known = feed.read_link(g.installation.config, link)
    found = _calendar(*known) if known else None
    if found is None:
        text = str(_("There is no calendar here"))
        return Response(text, 404, content_type="text/plain; charset=utf-8")
    answer = Response(found, content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="trellis.ics"'
    answer.add_etag()
    return answer.make_conditional(request)


def _calendar(name: str, secret: str) -> bytes | None:
    try:
        workspace = g.installation.workspace(name)
    except WorkspaceNotFound:
        return None
    session = context.enter(workspace, writes=False)
    owner = feed.owner_of(session, secret)
    found = recognition.by_id(workspace, session, owner) if owner is not None else None
    if found is None:
        return None
    speak_to_person(found)
    zone = ZoneInfo(known_timezone(found.timezone) or found.edition.settings.timezone)
    place = f"{_root()}/{name}"
    return feed.calendar_of(session, found.edition, found.actor, zone, place, datetime.now(UTC))


def _root() -> str:
    return str(g.installation.config.url or request.url_root).rstrip("/")


def address() -> str | None:
    """The whole address of the reader's calendar; empty where it must be made anew, None where there is none."""
    path = feed.address(g.installation.config, g.session, g.workspace.name, g.actor.user_id)
    return f"{_root()}/{path}" if path else path


@blueprint.post("/<workspace>/profile/calendar")
def renew(workspace: str) -> BaseResponse:
    """A calendar, or a new address for it."""
    g.signed_in.require_fresh(f"{base()}/profile")
    feed.renew(g.installation.config, g.session, g.actor.user_id)
    toast(_("The calendar has a new address"))
    return go(f"{base()}/profile#calendar")


@blueprint.post("/<workspace>/profile/calendar/off")
def switch_off(workspace: str) -> BaseResponse:
    feed.switch_off(g.session, g.actor.user_id)
    toast(_("The calendar is switched off"))
    return go(f"{base()}/profile#calendar")
