"""One's own profile: the password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.security.identities import change_password
from trellis.web import session as sessions
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go, messages

_ = translator("trellis")

blueprint = Blueprint("profile", __name__)


@blueprint.get("/<workspace>/profile")
def show(workspace: str) -> str:
    return _page({})


@blueprint.post("/<workspace>/profile/password")
def password(workspace: str) -> BaseResponse | tuple[str, int, dict[str, str]]:
    """A new password for oneself; every other session ends, this one goes on."""
    given = request.form
    g.release()  # the password is checked and kept outside the workspace
    try:
        identity = change_password(
            g.installation,
            g.email,
            given.get("current", ""),
            given.get("password", ""),
            request.remote_addr or "",
        )
    except TrellisError as error:
        waits = getattr(error, "seconds", None)
        found = {"current": [str(error.detail)]} if waits else messages(error)
        return _page(found), error.status, {"Retry-After": str(waits)} if waits else {}
    sessions.sign_in(identity)
    toast(_("The password is changed. Other browsers are signed out"))
    return go(f"{base()}/profile")


def _page(errors: dict[str, list[str]]) -> str:
    def field(name: str, label: Any, autocomplete: str, text: Any = "") -> dict[str, Any]:
        return {
            "id": name,
            "name": name,
            "label": str(label),
            "kind": "password",
            "value": "",
            "required": True,
            "autocomplete": autocomplete,
            "help": str(text),
            "errors": errors.get(name, []),
        }

    advice = _("At least 12 characters; four words that have nothing to do with each other are good")
    fields = [
        field("current", _("Present password"), "current-password"),
        field("password", _("New password"), "new-password", advice),
    ]
    problems = [{"field": name, "id": name, "text": " ".join(found)} for name, found in errors.items()]
    profile = {
        "email": g.email,
        "action": f"{base()}/profile/password",
        "password": fields,
        "problems": problems,
    }
    return page("profile.html", title=_("My profile"), icon="user-cog", profile=profile)
