"""Settings: what the workspace asks of those who sign in."""

from __future__ import annotations

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.i18n import format_number, translator
from trellis.security.identities import list_users
from trellis.security.second_factor import holders
from trellis.web.shell import toast
from trellis.web.views.lists import base, go
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_security", __name__)
blueprint.before_request(only_administrators)


@blueprint.get("/<workspace>/settings/security")
def show(workspace: str) -> str:
    required = g.edition.settings.second_factor_required
    field = {
        "id": "second_factor_required",
        "name": "second_factor_required",
        "label": str(_("A second factor is required")),
        "kind": "boolean",
        "value": required,
        "help": str(
            _("Whoever has neither an app for codes nor a passkey sets one up before anything else opens")
        ),
        "errors": [],
    }
    people = [one.email for one in list_users(g.installation, g.workspace) if one.signs_in]
    security = {
        "action": request.path,
        "fields": [field],
        "with": format_number(len(holders(g.installation, people))),
        "all": format_number(len(people)),
        "users_url": f"{base()}/settings/users",
    }
    return settings_page("settings/security.html", "security", _("Security"), security=security)


@blueprint.post("/<workspace>/settings/security")
def save(workspace: str) -> BaseResponse:
    g.signed_in.require_fresh(request.path)
    required = request.form.getlist("second_factor_required")[-1:] == ["true"]
    g.workspace.save_settings(g.session, {"second_factor_required": required}, g.actor)
    toast(_("Saved"))
    return go(request.path)
